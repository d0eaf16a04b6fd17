"""What a tenant asks of its database, and how it is answered."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .board import board, of_tenants
from .panel import heat, lines, note, number, row
from .query import TENANT, quantile, quantiles, rate, share

STATEMENTS = f"database_operations_total{{{TENANT}}}"
FAILED = f'database_operations_total{{{TENANT},success="false"}}'
BUCKETS = f"database_operation_duration_seconds_bucket{{{TENANT}}}"

BY = ("operation", "table")
NAME = "{{operation}} {{table}}"


def connections(state: str) -> str:
    return f'sum by (namespace, pod) (database_connection_pool{{{TENANT},state="{state}"}})'


CAUSE = """\
1. What Postgres logged, with the trace of each statement: `kubectl logs -n <where it runs> <its pod> | grep traceparent`.
2. The request behind a statement: `kubectl docket trace <trace id> -n $namespace`.
3. What the operator says of the database: condition `DatabaseReady` of `kubectl describe dt -n $namespace $tenant`.

`docs/observability.md` goes the whole way from an alert to its cause."""


def database() -> Dashboard:
    return (
        board("docket-database", "Docket / Database", "What a tenant asks of its database, and how it is answered.", *of_tenants("database_operations_total"))
        .with_panel(number("Statements", "ops", "SQL statements a second.", rate(STATEMENTS)))
        .with_panel(
            number(
                "Failed",
                "percentunit",
                "Part of the statements that failed. Alert: above 5 %.",
                share(FAILED, STATEMENTS),
                steps=[(None, "green"), (0.05, "red")],
            )
        )
        .with_panel(
            number(
                "95 % took at most",
                "s",
                "Time that statements took, without the wait for a connection. Alert: above 1 s.",
                quantile(0.95, BUCKETS),
                steps=[(None, "green"), (1, "red")],
            )
        )
        .with_panel(
            number(
                "Fullest pool",
                "percentunit",
                "Connections in use, as a part of those that a pod may have; of the pod that has most.",
                f"max({connections('used')} / {connections('max')})",
                steps=[(None, "green"), (0.8, "orange"), (1, "red")],
            )
        )
        .with_row(row("Statements"))
        .with_panel(
            lines(
                "Statements by table",
                "ops",
                "Statements a second, by what they do to which table.",
                (rate(STATEMENTS, *BY), NAME),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Failed by table",
                "percentunit",
                "Part of each kind of statement that failed.",
                (share(FAILED, STATEMENTS, *BY), NAME),
            )
        )
        .with_row(row("Time"))
        .with_panel(lines("Time", "s", "Time within which half, 95 % and 99 % of statements were done.", *quantiles(BUCKETS)))
        .with_panel(heat("Time by bucket", "s", "How many statements took how long.", BUCKETS))
        .with_panel(
            lines(
                "95 % took at most, by table",
                "s",
                "One kind of statement that is slow by itself lacks an index, or waits for a lock.",
                (quantile(0.95, BUCKETS, *BY), NAME),
            )
        )
        .with_panel(
            lines(
                "Time spent, by table",
                "short",
                "Seconds of each second that statements of a kind were running: what to make faster first.",
                (rate(f"database_operation_duration_seconds_sum{{{TENANT}}}", *BY), NAME),
                stacked=True,
            )
        )
        .with_row(row("Connections"))
        .with_panel(
            lines(
                "Connections",
                "short",
                "Connections of all pods together: in use, idle, and as many as there may be.",
                (f"sum by (state) (database_connection_pool{{{TENANT}}})", "{{state}}"),
                width=8,
            )
        )
        .with_panel(
            lines(
                "Pool in use, by pod",
                "percentunit",
                "At 100 % requests wait for a connection, two seconds at most.",
                (f"{connections('used')} / {connections('max')}", "{{namespace}}/{{pod}}"),
                steps=[(None, "transparent"), (1, "red")],
                width=8,
            )
        )
        .with_panel(
            lines(
                "Requests without a connection",
                "reqps",
                "Those that waited for one in vain. Alert: any.",
                (rate(f"database_connection_timeouts_total{{{TENANT}}}", "namespace", "pod"), "{{namespace}}/{{pod}}"),
                width=8,
            )
        )
        .with_row(row("From here to the cause"))
        .with_panel(note("From here to the cause", "How to go on from a panel.", CAUSE))
    )
