"""The metrics of the API server that readers are promised: each is on a dashboard."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE = Path(__file__).parent.parent.parent / "docs" / "telemetry.md"
NAME = re.compile(r"`(\w+)`")


def metrics() -> Iterator[str]:
    """Those of the first column of the table under the headline Metrics."""
    section = PAGE.read_text().split("\n## Metrics\n", 1)[1].split("\n\n", 1)[0]
    for line in section.splitlines()[2:]:
        yield from NAME.findall(line.split("|")[1])


def unseen(expressions: Iterable[str]) -> Iterator[str]:
    """A sentence for each of them that no panel shows."""
    shown = " ".join(expressions)
    for name in metrics():
        if not re.search(rf"\b{name}(_bucket)?\b", shown):
            yield f"docs/telemetry.md names the metric {name}, and no panel shows it"
