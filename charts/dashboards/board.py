"""What all dashboards have in common."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from .panel import SOURCE

TAG = "docket"


def board(uid: str, title: str, description: str, *variables: dashboard.QueryVariable) -> dashboard.Dashboard:
    """An empty dashboard, with the way to the others of Docket."""
    others = (
        dashboard.DashboardLink("Docket")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(others)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in variables:
        made.with_variable(variable)
    return made


def variable(name: str, label: str, series: str, of: str) -> dashboard.QueryVariable:
    """The values that the label `of` has in `series`; one, several or all."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(f"label_values({series}, {of})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(model.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def of_tenants(series: str) -> tuple[Any, Any]:
    """The variables that choose among the tenants which have `series`."""
    return (
        variable("namespace", "Namespace", f'{series}{{docket_tenant!=""}}', "namespace"),
        variable("tenant", "Tenant", f'{series}{{namespace=~"$namespace"}}', "docket_tenant"),
    )
