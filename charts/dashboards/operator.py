"""What the operator does, and whether it keeps up."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .board import board, variable
from .panel import heat, lines, note, number, row
from .query import quantile, quantiles, rate, share

OPERATOR = 'job=~"$job"'
RECONCILES = f"docket_operator_reconciles_total{{{OPERATOR}}}"
FAILED = f'docket_operator_reconciles_total{{{OPERATOR},result!="ok"}}'
BUCKETS = f"docket_operator_reconcile_duration_seconds_bucket{{{OPERATOR}}}"
LEADER = f"docket_operator_leader{{{OPERATOR}}}"
WAITING = f"docket_operator_tenants_waiting{{{OPERATOR}}}"

CAUSE = """\
1. The last reconcile of a tenant that changed something, as a tree with its SQL:
   `kubectl docket trace $(kubectl get dt <name> -n <namespace> -o jsonpath='{.status.reconcile.traceId}') -n <namespace>`
2. What went wrong, in sentences: `kubectl get events -n <namespace>` and the conditions of `kubectl describe dt`.
3. The operator's log: `kubectl logs -n <its namespace> deploy/<release>-operator`."""


def operator() -> Dashboard:
    return (
        board(
            "docket-operator",
            "Docket / Operator",
            "What the operator does, and whether it keeps up.",
            variable("job", "Job", "docket_operator_reconciles_total", "job"),
        )
        .with_panel(
            number(
                "Holders of the Lease",
                "short",
                "Operators that may write: one. Alert: none.",
                f"sum({LEADER})",
                steps=[(None, "red"), (1, "green"), (2, "red")],
                width=4,
            )
        )
        .with_panel(
            number(
                "Tenants that wait",
                "short",
                "Tenants whose spec was changed and not looked at since. Alert: any for 10 minutes.",
                f"max({WAITING})",
                steps=[(None, "green"), (1, "orange")],
                width=4,
            )
        )
        .with_panel(number("Reconciles", "ops", "Looks at a tenant, each second.", rate(RECONCILES), width=4))
        .with_panel(
            number(
                "Failed",
                "percentunit",
                "Part of the reconciles that ended with an error. Alert: above 10 % of one kind.",
                share(FAILED, RECONCILES),
                steps=[(None, "green"), (0.1, "red")],
                width=4,
            )
        )
        .with_panel(
            number(
                "95 % took at most",
                "s",
                "Time of a reconcile. Alert: above 10 s.",
                quantile(0.95, BUCKETS),
                steps=[(None, "green"), (10, "red")],
                width=4,
            )
        )
        .with_panel(
            number(
                "Tenants without rules",
                "short",
                "Tenants whose rules found no room in the ConfigMaps; says nothing where the cluster has PrometheusRules.",
                f"max(docket_operator_rules_left_out{{{OPERATOR}}})",
                steps=[(None, "green"), (1, "red")],
                width=4,
            )
        )
        .with_row(row("Reconciles"))
        .with_panel(
            lines(
                "Reconciles by result",
                "ops",
                "transient: it is tried again; kubernetes: the API server refused. What a user must mend is on the tenant's conditions, and ends ok here.",
                (rate(RECONCILES, "result"), "{{result}}"),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Errors by kind",
                "ops",
                "Those that did not end well; one that stays is on the conditions of its tenant. `panicked`, at 0 where none did, is the operator's own fault. Alert: any.",
                (rate(FAILED, "result"), "{{result}}"),
            )
        )
        .with_panel(lines("Time", "s", "Time within which half, 95 % and 99 % of reconciles were done.", *quantiles(BUCKETS)))
        .with_panel(heat("Time by bucket", "s", "How many reconciles took how long.", BUCKETS))
        .with_row(row("Writes"))
        .with_panel(
            lines(
                "Writes to the cluster",
                "ops",
                "By kind and verb. Tenants that nobody changes cause none: writes that do not end mean that somebody changes back what the operator wrote.",
                (rate(f"docket_operator_writes_total{{{OPERATOR}}}", "kind", "verb"), "{{verb}} {{kind}}"),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Transactions that change a database",
                "ops",
                "By what they are for. Tenants that nobody changes cause none here, either.",
                (rate(f"docket_operator_sql_transactions_total{{{OPERATOR}}}", "operation"), "{{operation}}"),
                stacked=True,
            )
        )
        .with_row(row("Lease and queue"))
        .with_panel(
            lines(
                "Lease",
                "short",
                "1 for the operator that holds it, 0 for those that wait for it.",
                (f"max by (instance) ({LEADER})", "{{instance}}"),
            )
        )
        .with_panel(
            lines(
                "Queue",
                "short",
                "Tenants whose spec was changed and not looked at since.",
                (f"max by (instance) ({WAITING})", "{{instance}}"),
            )
        )
        .with_panel(
            lines(
                "Tasks that began anew",
                "ops",
                "Panics a second of what goes on beside reconciles: each begins anew, and its log line says at which line it ended. Alert: any.",
                (rate(f"docket_task_panics_total{{{OPERATOR}}}", "task"), "{{task}}"),
            )
        )
        .with_row(row("From here to the cause"))
        .with_panel(note("From here to the cause", "How to go on from a panel.", CAUSE))
    )
