"""Runs the rows that are asked for, or all, and prints the table: run.py [--short] [ROW…]."""

import argparse
import os
import platform
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import processes
from load import progress
from rows import FULL, ROWS, SHORT, WORDS, Bench
from table import markdown

CLIENTS = ["few", "some", "many", "big", "floor"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true", help="a minute at most, and figures that say nothing")
    parser.add_argument("--rounds", type=int, help="how often each load is run")
    parser.add_argument("--seconds", type=int, help="how long each load is run")
    parser.add_argument("--flame", metavar="SVG", type=Path, help="draws what the API server does while `get` runs")
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], metavar="ROW", help=", ".join(ROWS))
    arguments = parser.parse_args()
    wanted = arguments.rows or list(ROWS)
    size = SHORT if arguments.short else FULL
    size = replace(size, rounds=arguments.rounds or size.rounds, seconds=arguments.seconds or size.seconds)
    processes.many_files()
    load_before = os.getloadavg()[0]
    rows = []
    with processes.scratch() as folder, processes.Postgres(folder / "postgres").run() as postgres:
        made = processes.tenant(postgres, folder, str(folder / "content"), CLIENTS)
        clients = {client["name"]: client for client in made["clients"]}
        for name in ("few", "some", "many"):
            if name != "many" or {"list", "search"} & set(wanted):
                count = getattr(size, name)
                progress(f"==> {count:,} documents for the client {name}")
                postgres.psql(file=processes.HERE / "sql/documents.sql", search_path=clients[name]["schema"],
                              count=count, words=WORDS, searched=str(name == "many" and "search" in wanted).lower())
        postgres.psql(file=processes.HERE / "sql/peer.sql", client="some", count=size.some)
        with processes.collector(folder) as (endpoint, _):
            telemetry = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
            bench = Bench(size, folder, postgres, folder / "tenant.json", clients, telemetry, arguments.flame)
            for name in wanted:
                progress(f"==> {name}")
                started = time.monotonic()
                rows += ROWS[name](bench)
                progress(f"  {name} took {time.monotonic() - started:.0f} s")
    print(markdown(rows))
    print(f"\n{date.today()}, {os.cpu_count()} cores, {platform.machine()}, load before the run {load_before:.2f}", end="")
    print(", short form: the figures say nothing" if arguments.short else "")


main()
