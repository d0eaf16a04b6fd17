"""Tables of two sides, figure beside figure: against.py FOLDER, with files before.1, after.1, before.2, …"""

import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

# What a row says of Docket itself comes before the ratio that it is about.
OURS = re.compile(r"docket ([\d,.]+)")
NUMBER = re.compile(r"[\d,]*\.?\d+")


def figures(table: str) -> dict[str, float]:
    """One figure of each row; of rows with several columns of numbers one each."""
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
        if len(cells) < 2 or cells[0].startswith("---"):
            continue
        if len(cells) == 4 and re.search(r"reached|missed|comparison", cells[3]):
            ours = OURS.search(cells[2])
            number = NUMBER.search(cells[2])
            if ours:
                found[f"{cells[0].split(': docket /')[0]}: docket's rate"] = ours[1]
            elif number:
                found[cells[0]] = number[0]
        else:
            found |= {f"{cells[0]} ({column})": cell for column, cell in enumerate(cells[1:], 1) if NUMBER.fullmatch(cell)}
    return {name: float(text.replace(",", "")) for name, text in found.items()}


def main() -> None:
    folder = Path(sys.argv[1])
    sides: dict[str, dict[str, list[float]]] = {}
    for side in ("before", "after"):
        sides[side] = defaultdict(list)
        for file in sorted(folder.glob(f"{side}.*")):
            for name, value in figures(file.read_text()).items():
                sides[side][name].append(value)
    print("| figure, the median of its turns | before | after | after / before | of each turn |")
    print("| --- | --- | --- | --- | --- |")
    for name, before in sides["before"].items():
        after = sides["after"].get(name)
        if not after or not statistics.median(before):
            continue
        ratio = statistics.median(after) / statistics.median(before)
        each = ", ".join(f"{b / a:.2f}" for a, b in zip(before, after) if a)
        print(f"| {name} | {statistics.median(before):,g} | {statistics.median(after):,g} | {ratio:.3f} | {each} |")


main()
