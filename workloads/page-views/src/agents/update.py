"""Writes the lists of this folder: update.py crawler-user-agents.json."""

import json
import re
import sys
from pathlib import Path

SPECIAL = re.compile(r"[\[\](){}^$*+?.|\\]")
ESCAPED = re.compile(r"\\([^A-Za-z0-9])")

lists: dict[str, list[str]] = {"bots.txt": [], "bots.regex": [], "previews.txt": [], "previews.regex": []}
for agent in json.loads(Path(sys.argv[1]).read_text()):
    name = "previews" if "social-preview" in agent.get("tags", []) else "bots"
    pattern = agent["pattern"]
    if SPECIAL.search(ESCAPED.sub("", pattern)):
        lists[f"{name}.regex"].append(pattern)
    else:
        lists[f"{name}.txt"].append(ESCAPED.sub(r"\1", pattern))
for file, lines in lists.items():
    Path(__file__).with_name(file).write_text("\n".join(lines) + "\n")
