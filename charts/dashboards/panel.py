"""How the panels of all dashboards look."""

from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, text, timeseries
from grafana_foundation_sdk.models import common as model
from grafana_foundation_sdk.models import dashboard as board
from grafana_foundation_sdk.models import prometheus as format
from grafana_foundation_sdk.models.text import TextMode

SOURCE = board.DataSourceRef(type_val="prometheus", uid="${datasource}")

# Columns that a dashboard is wide.
WIDTH = 24

Query = tuple[str, str]
"""PromQL, and what its series are called: a name with {{label}}s in it."""

Steps = list[tuple[float | None, str]]
"""Colours, each from a value on."""


def number(title: str, unit: str, description: str, query: str, *, steps: Steps | None = None, width: int = 6) -> stat.Panel:
    """One number, with its course behind it."""
    return (
        _panel(stat.Panel(), title, unit, description, [(query, title)])
        .height(4)
        .span(width)
        .color_mode(model.BigValueColorMode.VALUE if steps else model.BigValueColorMode.NONE)
        .graph_mode(model.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(steps or [(None, "text")]))
    )


def bars(title: str, unit: str, description: str, query: Query, *, steps: Steps, width: int = 12) -> bargauge.Panel:
    """A bar for each series, from nothing to all."""
    panel = bargauge.Panel()
    return (
        _panel(panel, title, unit, description, [query], instant=True)
        .height(8)
        .span(width)
        .min(0)
        .max(1)
        .orientation(model.VizOrientation.HORIZONTAL)
        .display_mode(model.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_thresholds(steps))
    )


def lines(
    title: str,
    unit: str,
    description: str,
    *queries: Query,
    stacked: bool = False,
    steps: Steps | None = None,
    least: float | None = 0,
    width: int = 12,
) -> timeseries.Panel:
    """A line for each series, from `least` up; `steps` are drawn as limits."""
    panel = (
        _panel(timeseries.Panel(), title, unit, description, list(queries))
        .height(8)
        .span(width)
        .fill_opacity(20 if stacked else 5)
        .legend(
            common.VizLegendOptions()
            .display_mode(model.LegendDisplayMode.TABLE)
            .placement(model.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(model.TooltipDisplayMode.MULTI).sort(model.SortOrder.DESCENDING))
    )
    if least is not None:
        panel.min(least)
    if stacked:
        panel.stacking(common.StackingConfig().mode(model.StackingMode.NORMAL))
    if steps:
        panel.thresholds(_thresholds(steps))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(model.GraphThresholdsStyleMode.DASHED))
    return panel


def heat(title: str, unit: str, description: str, buckets: str, *, width: int = 12) -> heatmap.Panel:
    """How many fell into each bucket of a histogram."""
    query = (f"sum by (le) (increase({buckets}[$__rate_interval]))", "{{le}}")
    return (
        _panel(heatmap.Panel(), title, unit, description, [query], format=format.PromQueryFormat.HEATMAP)
        .height(8)
        .span(width)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .color(heatmap.HeatmapColorOptions().scheme("Oranges").steps(64))
    )


def note(title: str, description: str, content: str) -> text.Panel:
    """Words."""
    panel = text.Panel().title(title).description(description)
    return panel.height(7).span(WIDTH).mode(TextMode.MARKDOWN).content(content)


def row(title: str) -> dashboard.Row:
    """A headline above the panels that follow."""
    return dashboard.Row(title)


def _panel(
    panel: Any,
    title: str,
    unit: str,
    description: str,
    queries: list[Query],
    *,
    instant: bool = False,
    format: format.PromQueryFormat = format.PromQueryFormat.TIME_SERIES,
) -> Any:
    panel.title(title).unit(unit).description(description).datasource(SOURCE)
    for ref_id, (expression, name) in zip("ABCDEFGH", queries):
        query = prometheus.Dataquery().expr(expression).legend_format(name).ref_id(ref_id).datasource(SOURCE).format(format)
        panel.with_target(query.instant() if instant else query.range())
    return panel


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    steps = [board.Threshold(value=value, color=color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(board.ThresholdsMode.ABSOLUTE).steps(steps)
