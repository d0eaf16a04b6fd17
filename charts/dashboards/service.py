"""What callers of a tenant's API see, and why."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .board import board, of_tenants
from .panel import heat, lines, note, number, row
from .query import ANSWERED, CLIENTS, FAILURES, REQUESTS, TENANT, or_none, quantile, quantiles, rate, share

BUCKETS = f"http_request_duration_seconds_bucket{{{CLIENTS},{ANSWERED}}}"
REFUSED = f'http_errors_total{{{CLIENTS},status=~"4.."}}'
CHECKS = f"health_check_total{{{TENANT}}}"
UNHEALTHY = f'health_check_total{{{TENANT},status="unhealthy"}}'

VIEWS = f"docket_page_views_total{{{TENANT}}}"
MISSED = f"docket_content_reads_missed_total{{{TENANT}}}"

MEMORY = f"memory_working_set_bytes{{{TENANT}}}"
ITEMS = (("spans", "spans"), ("metric_points", "metrics"), ("log_records", "logs"))


def collected(what: str, items: str) -> str:
    """What became of telemetry in the collectors."""
    return rate(f"otelcol_exporter_{what}_{items}{{{TENANT}}}")


def lost(items: str) -> str:
    """For a full queue, or refused by the endpoint for good."""
    return " + ".join(or_none(collected(why, items), collected("sent", items)) for why in ("enqueue_failed", "send_failed"))


CAUSE = """\
1. One request: `kubectl docket trace <X-Request-ID> -n $namespace` prints its line, its spans as a tree, its log and its SQL.
2. The requests that failed, with their ids:
   `kubectl logs -n $namespace -l docket.dev/tenant=$tenant -c api --tail=-1 | grep '"status":5'`
3. The slow ones: the same with `grep '"message":"request"'`, by `duration_ms`.
4. What the operator says of the tenant: `kubectl describe dt -n $namespace $tenant`.

`docs/observability.md` goes the whole way from an alert to its cause."""


def service() -> Dashboard:
    return (
        board("docket-service", "Docket / Service", "What callers of a tenant's API see, and why.", *of_tenants("http_requests_total"))
        .with_panel(
            number("Requests", "reqps", "Requests of clients that were answered. Probes do not count.", rate(REQUESTS))
        )
        .with_panel(
            number(
                "Failed",
                "percentunit",
                "Part of the requests that was answered with a 5xx. Alerts: above 5 % (warning) and 10 % (page).",
                share(FAILURES, REQUESTS),
                steps=[(None, "green"), (0.05, "orange"), (0.1, "red")],
            )
        )
        .with_panel(
            number(
                "95 % answered within",
                "s",
                "Time from a request's headers to its answer's. Alerts: above 1 s (warning) and 2 s (page).",
                quantile(0.95, BUCKETS),
                steps=[(None, "green"), (1, "orange"), (2, "red")],
            )
        )
        .with_panel(
            number(
                "Pods",
                "short",
                "Pods of the API that answer the Prometheus.",
                f'sum(up{{{TENANT},container!="collector"}})',
                steps=[(None, "red"), (1, "green")],
            )
        )
        .with_row(row("Traffic"))
        .with_panel(
            lines(
                "Requests by route",
                "reqps",
                "Requests of clients a second, by method and route.",
                (rate(REQUESTS, "method", "path"), "{{method}} {{path}}"),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Answers by status",
                "reqps",
                "Answers a second, by HTTP status.",
                (rate(REQUESTS, "status"), "{{status}}"),
                stacked=True,
            )
        )
        .with_row(row("Errors"))
        .with_panel(
            lines(
                "Failed by route",
                "percentunit",
                "Part of each route's requests that was answered with a 5xx: ours to mend.",
                (share(FAILURES, REQUESTS, "method", "path"), "{{method}} {{path}}"),
            )
        )
        .with_panel(
            lines(
                "Refused by route",
                "reqps",
                "Answers of 4xx a second: mistakes of callers, such as a wrong key (403), a quota that is used up or a file too large.",
                (or_none(rate(REFUSED, "method", "path", "status"), rate(REQUESTS, "method", "path", "status")), "{{status}} {{method}} {{path}}"),
            )
        )
        .with_row(row("Latency"))
        .with_panel(lines("Latency", "s", "Time within which half, 95 % and 99 % of requests were answered.", *quantiles(BUCKETS)))
        .with_panel(heat("Latency by bucket", "s", "How many requests took how long.", BUCKETS))
        .with_panel(
            lines(
                "95 % answered within, by route",
                "s",
                "A route that is slow by itself; the slow ones' spans say where the time went.",
                (quantile(0.95, BUCKETS, "method", "path"), "{{method}} {{path}}"),
            )
        )
        .with_panel(
            lines(
                "95 % answered within, by pod",
                "s",
                "One pod that is slower than the others points to its node.",
                (quantile(0.95, BUCKETS, "namespace", "pod"), "{{namespace}}/{{pod}}"),
            )
        )
        .with_row(row("Page views"))
        .with_panel(
            lines(
                "Views by outcome",
                "ops",
                "Page views a second that were told of, and reads of documents where those count: stored, or not counted and why.",
                (rate(VIEWS, "outcome"), "{{outcome}}"),
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Reads of documents that were missed",
                "ops",
                "Reads that are in no report: too many others waited to be counted. No download waited; the database is slow.",
                (or_none(rate(MISSED), rate(VIEWS)), "missed"),
            )
        )
        .with_row(row("Health"))
        .with_panel(
            lines(
                "Checks that failed",
                "percentunit",
                "Part of the health checks that found a component unusable.",
                (share(UNHEALTHY, CHECKS, "component"), "{{component}}"),
                width=8,
            )
        )
        .with_panel(
            lines(
                "95 % of checks took",
                "s",
                "A component that gets slow shows here before requests do.",
                (quantile(0.95, f"health_check_duration_seconds_bucket{{{TENANT}}}", "component"), "{{component}}"),
                width=8,
            )
        )
        .with_panel(
            lines(
                "Pods by version",
                "short",
                "Pods that run, by the version of their API server.",
                (f'count by (service_version) (target_info{{{TENANT},container!="collector"}})', "{{service_version}}"),
                width=8,
            )
        )
        .with_panel(
            lines(
                "Work beside requests",
                "ops",
                "Runs of maintenance a second, by task. `refused` waits until somebody looked: a runbook says what to look at.",
                # The first of them comes minutes after a pod's start.
                (
                    or_none(
                        rate(f"docket_maintenance_runs_total{{{TENANT}}}", "task", "outcome"),
                        rate(f"docket_task_panics_total{{{TENANT}}}"),
                    ),
                    "{{task}} {{outcome}}",
                ),
            )
        )
        .with_panel(
            lines(
                "Tasks that began anew",
                "ops",
                "Panics a second of what goes on beside requests: each begins anew, and its log line says at which line it ended. Alert: any.",
                (rate(f"docket_task_panics_total{{{TENANT}}}", "task"), "{{task}}"),
            )
        )
        .with_panel(
            lines(
                "Pods that confine the reading of files",
                "short",
                "By layer: 1 where the process that reads files has it in every pod, 0 where a node's kernel lacks it.",
                (f"min by (layer) (text_reader_confined{{{TENANT}}})", "{{layer}}"),
            )
        )
        .with_row(row("Memory"))
        .with_panel(
            lines(
                "Memory of its limit",
                "percentunit",
                "Part of a pod's memory that is in use and cannot be taken back. Alert: above 80 %; at 100 % the kernel ends its processes.",
                (
                    f"{MEMORY} / on (namespace, pod) memory_limit_bytes{{{TENANT}}}",
                    "{{namespace}}/{{pod}}",
                ),
                steps=[(None, "transparent"), (0.8, "red")],
            )
        )
        .with_panel(lines("Memory", "bytes", "The same in bytes.", (MEMORY, "{{namespace}}/{{pod}}")))
        .with_row(row("Telemetry"))
        .with_panel(
            lines(
                "Telemetry handed over",
                "ops",
                "Spans, log records and exports of metrics a second that the collector beside the API took.",
                (rate(f"telemetry_exported_total{{{TENANT}}}", "signal"), "{{signal}}"),
            )
        )
        .with_panel(
            lines(
                "Telemetry lost at the source",
                "ops",
                "What the collector did not take: traces and logs that are missing here are missing everywhere.",
                (rate(f"telemetry_dropped_total{{{TENANT}}}", "signal", "reason"), "{{signal}}: {{reason}}"),
            )
        )
        .with_panel(
            lines(
                "Sent to the endpoint",
                "ops",
                "What the collectors got rid of, a second.",
                *((collected("sent", items), name) for items, name in ITEMS),
                width=8,
            )
        )
        .with_panel(
            lines(
                "Lost by the collectors",
                "ops",
                "Dropped because a queue was full, or refused by the endpoint for good. `CollectorReady` says why.",
                *((lost(items), name) for items, name in ITEMS),
                width=8,
            )
        )
        .with_panel(
            lines(
                "Queues of the collectors",
                "percentunit",
                "The fullest queue of each kind. It fills while the endpoint is gone; nothing is lost before it is full.",
                (
                    f"max by (data_type) (otelcol_exporter_queue_size{{{TENANT}}} / otelcol_exporter_queue_capacity{{{TENANT}}})",
                    "{{data_type}}",
                ),
                width=8,
                steps=[(None, "transparent"), (1, "red")],
            )
        )
        .with_row(row("From here to the cause"))
        .with_panel(note("From here to the cause", "How to go on from a panel.", CAUSE))
    )
