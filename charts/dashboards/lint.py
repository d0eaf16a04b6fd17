"""What makes a dashboard one that can be used: the rules of Grafana's dashboard-linter that fit here, and a few more."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .board import TAG

SOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Variables that Grafana itself has.
BUILT_IN = {"__rate_interval", "__range"}

USED = re.compile(r"\$\{?(\w+)")
GROWING = re.compile(r"(\w+_(?:total|bucket|sum|count))\{[^}]*\}(\[[^\]]*\])?")
OVER = re.compile(r"(?:rate|increase)\([^()]*\[([^\]]*)\]\)")


def lint(dashboard: dict[str, Any]) -> Iterator[str]:
    """A sentence for each thing that is wrong with it."""
    for key in ("uid", "title", "description"):
        if not dashboard.get(key):
            yield f"it has no {key}"
    if TAG not in dashboard["tags"]:
        yield f"it lacks the tag {TAG}, by which the others find it"
    if dashboard.get("editable"):
        yield "it can be edited, though what is edited is gone with the next release"
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    for title, count in Counter(panel.get("title") for panel in panels).items():
        if count > 1:
            yield f"{count} panels are called {title}"
    yield from _variables(dashboard)
    yield from _places(panels)
    for panel in panels:
        for sentence in _panel(panel):
            yield f"panel {panel.get('title')}: {sentence}"


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    """The PromQL of all panels."""
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))


def _variables(dashboard: dict[str, Any]) -> Iterator[str]:
    variables = dashboard["templating"]["list"]
    declared = {variable["name"] for variable in variables}
    texts = list(expressions(dashboard)) + [str(variable.get("query")) for variable in variables]
    used = {name for text in texts for name in USED.findall(text)} | {"datasource"}
    for name in used - declared - BUILT_IN:
        yield f"nobody declares the variable {name}"
    for name in declared - used:
        yield f"nobody uses the variable {name}"
    for variable in variables:
        if variable["type"] == "query" and (variable.get("datasource") != SOURCE or variable.get("refresh") != 2):
            yield f"the variable {variable['name']} is not asked anew of the chosen data source when the time changes"


def _places(panels: list[dict[str, Any]]) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield f"panel {panel['title']} does not fit"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (other := taken.setdefault((x, y), panel["title"])) != panel["title"]:
                    yield f"panels {other} and {panel['title']} lie on each other"
                    return


def _panel(panel: dict[str, Any]) -> Iterator[str]:
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"it has no {key}"
    if panel["type"] == "text":
        return
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "it has no unit"
    if panel.get("datasource") != SOURCE:
        yield "it does not ask the chosen data source"
    if not panel.get("targets"):
        yield "it asks nothing"
    for target in panel.get("targets", []):
        if target.get("datasource") != SOURCE:
            yield f"query {target['refId']} does not ask the chosen data source"
        if not target.get("legendFormat"):
            yield f"the series of query {target['refId']} have no name"
        yield from _expression(target["expr"])


def _expression(text: str) -> Iterator[str]:
    for series, window in GROWING.findall(text):
        if not window:
            yield f"{series} only ever grows: it takes rate or increase"
    for window in OVER.findall(text):
        if window != "$__rate_interval":
            yield f"a rate over [{window}] has no data where the Prometheus scrapes more seldom: [$__rate_interval]"
