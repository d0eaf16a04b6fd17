"""What was measured, against what must be reached, as Markdown."""

from dataclasses import dataclass


@dataclass
class Row:
    work: str
    must: str
    measured: str
    passes: bool | None  # None: told for comparison, nothing is asked


def at_least(work: str, ratio: float, least: float, detail: str) -> Row:
    return Row(work, f"≥ {least:g}", f"{ratio:.2f} ({detail})", ratio >= least)


def at_most(work: str, value: float, most: float, unit: str, detail: str) -> Row:
    return Row(work, f"≤ {most:g} {unit}".rstrip(), f"{value:.2f} {unit} ({detail})".replace("  ", " "), value <= most)


def markdown(rows: list[Row]) -> str:
    lines = ["| work | must reach | measured | |", "| --- | --- | --- | --- |"]
    verdict = {True: "reached", False: "**missed**", None: "for comparison"}
    lines += [f"| {row.work} | {row.must} | {row.measured} | {verdict[row.passes]} |" for row in rows]
    return "\n".join(lines)
