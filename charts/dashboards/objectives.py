"""What tenants promise, and whether they keep it."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from .board import board, of_tenants, variable
from .panel import bars, lines, note, number, row
from .query import TENANT

OBJECTIVE = TENANT + ',objective=~"$objective"'
NAME = "{{namespace}}/{{docket_tenant}} {{objective}}"

LEFT = f"slo:period_error_budget_remaining:ratio{{{OBJECTIVE}}}"
BUDGET = f"slo:error_budget:ratio{{{OBJECTIVE}}}"


def bad(window: str) -> str:
    return f"slo:sli_error:ratio_rate{window}{{{OBJECTIVE}}}"


def burn(window: str) -> tuple[str, str]:
    """How many times too fast the budget was used up over this window."""
    return f"{bad(window)} / {BUDGET}", f"{NAME}, {window}"


CAUSE = """\
1. Bad requests of an availability objective are answers of 5xx, those of a latency objective answers that came too late: the dashboard Docket / Service shows their routes.
2. The numbers on the resource itself: `kubectl get dt -n $namespace $tenant -o yaml`, `status.objectives`.
3. One bad request: `kubectl docket trace <X-Request-ID> -n $namespace`.

`docs/observability.md` goes the whole way from an alert to its cause."""


def objectives() -> Dashboard:
    return (
        board(
            "docket-objectives",
            "Docket / Objectives",
            "What tenants promise, and whether they keep it.",
            *of_tenants("slo:objective:ratio"),
            variable("objective", "Objective", f"slo:objective:ratio{{{TENANT}}}", "objective"),
        )
        .with_panel(
            number(
                "Least budget left",
                "percentunit",
                "Of the objective that has least; below 0 more was used than there was.",
                f"min({LEFT})",
                steps=[(None, "red"), (0, "orange"), (0.25, "green")],
                width=8,
            )
        )
        .with_panel(
            number(
                "Fastest burn",
                "x",
                "Over the last hour; 1 uses the budget up exactly over its window.",
                f"max({burn('1h')[0]})",
                steps=[(None, "green"), (1, "orange"), (14.4, "red")],
                width=8,
            )
        )
        .with_panel(
            number(
                "Alerts",
                "short",
                "Alerts of these tenants that fire.",
                f'count(ALERTS{{{TENANT},alertstate="firing"}}) or vector(0)',
                steps=[(None, "green"), (1, "red")],
                width=8,
            )
        )
        .with_row(row("Over the window of each objective"))
        .with_panel(
            bars(
                "Budget left",
                "percentunit",
                "Part of the bad requests that an objective allows and that did not happen yet.",
                (LEFT, NAME),
                steps=[(None, "red"), (0.0001, "orange"), (0.25, "green")],
            )
        )
        .with_panel(
            lines(
                "Good requests and target",
                "percentunit",
                "Part of the requests that was good, and what was promised.",
                (f"1 - slo:period_burn_rate:ratio{{{OBJECTIVE}}} * {BUDGET}", NAME),
                (f"slo:objective:ratio{{{OBJECTIVE}}}", f"{NAME}, promised"),
                least=None,
            )
        )
        .with_panel(
            lines("Budget left over time", "percentunit", "A step is an incident; a slope is something that goes on.", (LEFT, NAME), least=None, width=24)
        )
        .with_row(row("Now"))
        .with_panel(
            lines(
                "Fast burn",
                "x",
                "How many times too fast the budget is used up. Both above 14.4 page, for a window of 30 days.",
                burn("1h"),
                burn("5m"),
                steps=[(None, "transparent"), (14.4, "red")],
            )
        )
        .with_panel(
            lines(
                "Slow burn",
                "x",
                "The same over longer: both of 6 h and 30 m above 6 page, both of 3 d and 6 h above 1 make a ticket.",
                burn("6h"),
                burn("30m"),
                burn("3d"),
                steps=[(None, "transparent"), (1, "orange"), (6, "red")],
            )
        )
        .with_panel(
            lines(
                "Bad requests",
                "percentunit",
                "Part of the requests of the last five minutes that was bad, and what is allowed.",
                (bad("5m"), NAME),
                (BUDGET, f"{NAME}, allowed"),
            )
        )
        .with_panel(
            lines(
                "Requests",
                "short",
                "Requests of the last five minutes, and the bad ones of them.",
                (f"docket:objective_requests:increase5m{{{OBJECTIVE}}}", NAME),
                (f"docket:objective_bad_requests:increase5m{{{OBJECTIVE}}}", f"{NAME}, bad"),
            )
        )
        .with_row(row("From here to the cause"))
        .with_panel(note("From here to the cause", "How to go on from a panel.", CAUSE))
    )
