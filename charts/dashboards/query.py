"""Parts of PromQL that several dashboards need."""

OVER = "[$__rate_interval]"

# The series of a tenant's pods.
TENANT = 'namespace=~"$namespace",docket_tenant=~"$tenant"'
# Of these, the requests of its clients: none of the probes'.
CLIENTS = TENANT + ',docket_workload!~"none|"'
FAILED = 'status=~"5.."'
ANSWERED = 'status!~"5.."'

REQUESTS = f"http_requests_total{{{CLIENTS}}}"
FAILURES = f"http_requests_total{{{CLIENTS},{FAILED}}}"


def rate(series: str, *by: str) -> str:
    """How often per second, summed up."""
    return f"{_sum(by)} (rate({series}{OVER}))"


def or_none(some: str, of: str) -> str:
    """What has no series because it never happened is none, where `of` shows that it could have."""
    return f"({some} or 0 * {of})"


def share(part: str, whole: str, *by: str) -> str:
    """How many of `whole` are `part`, 0 to 1; without the first there is none."""
    return f"{or_none(rate(part, *by), rate(whole, *by))} / {rate(whole, *by)}"


def quantile(quantile: float, buckets: str, *by: str) -> str:
    """Seconds within which this part of all took place."""
    return f"histogram_quantile({quantile}, {rate(buckets, *by, 'le')})"


def quantiles(buckets: str) -> list[tuple[str, str]]:
    """The three that one looks at, with their names."""
    return [(quantile(part, buckets), name) for part, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))]


def _sum(by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)})" if by else "sum"
