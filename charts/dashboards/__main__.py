"""Compares the dashboards of the chart with this source, and says what is wrong with them; `--update` writes them first."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from .database import database
from .documented import unseen
from .lint import expressions, lint
from .objectives import objectives
from .operator import operator
from .service import service

CHART = Path(__file__).parent.parent / "docket" / "dashboards"

# What variables are while their PromQL is read.
VALUES = {"$__rate_interval": "1m", "$namespace": "n", "$tenant": "t", "$objective": "o", "$job": "j"}


def promtool(dashboard: dict[str, Any]) -> Iterator[str]:
    """What Prometheus' own parser says of the queries."""
    rules = []
    for number, text in enumerate(expressions(dashboard)):
        for variable, value in VALUES.items():
            text = text.replace(variable, value)
        rules.append({"record": f"query:{number}", "expr": text})
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": [{"name": "queries", "rules": rules}]}, file)
        file.flush()
        # A rule that could be written better is an error, too.
        command = ["promtool", "check", "rules", "--lint-fatal", file.name]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        yield result.stderr or result.stdout


def main() -> int:
    made = [dashboard().build() for dashboard in (database, objectives, operator, service)]
    texts = {f"{it.uid}.json": json.dumps(it, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for it in made}
    if "--update" in sys.argv:
        for file in CHART.glob("*.json"):
            file.unlink()
        for name, text in texts.items():
            (CHART / name).write_text(text)
    wrong = []
    there = {file.name: file.read_text() for file in CHART.glob("*.json")}
    for name in sorted(there.keys() | texts.keys()):
        if there.get(name) != texts.get(name):
            wrong.append(f"{name}: the chart's is not that of charts/dashboards: run `make dashboards`")
    for name, text in texts.items():
        dashboard = json.loads(text)
        wrong.extend(f"{name}: {sentence}" for check in (lint, promtool) for sentence in check(dashboard))
    wrong.extend(unseen(expression for text in texts.values() for expression in expressions(json.loads(text))))
    for sentence in wrong:
        print(sentence)
    return bool(wrong)


sys.exit(main())
