"""One measurement: a load for some seconds, and what it reached."""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from processes import BINARIES, HERE, Postgres, Server

CONNECTIONS = 64


@dataclass
class Measured:
    per_second: float
    p99_ms: float = 0
    # Share of the machine that the load generator took, 0 to 1.
    generator: float = 0
    # Microseconds of processor time that the server used for a request.
    cpu_us: float = 0


def timed(command: list, **options) -> tuple[str, float]:
    """What the command prints, and the share of the machine that it took."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode:
        sys.exit(f"bench: {command[0]} failed:\n{done.stdout}{done.stderr}")
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, used / took / os.cpu_count()


def wrk(server: Server, script: str, *arguments, seconds: float, connections: int = CONNECTIONS) -> Measured:
    threads = min(2, connections)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", f"{script}.lua", server.url, "--"]
    before = server.cpu()
    output, generator = timed([*command, *map(str, arguments)], cwd=HERE / "wrk")
    report = json.loads(output.splitlines()[-1])
    if report["errors"] or not report["requests"]:
        sys.exit(f"bench: {script} on {server.url}: {report['errors']} of {report['requests']} requests failed")
    return Measured(report["requests"] / report["seconds"], report["p99_ms"], generator, (server.cpu() - before) * 1e6 / report["requests"])


def pgbench(postgres: Postgres, client: dict, script: Path, seconds: float, **variables) -> Measured:
    """As the client's own role, prepared, over TCP as the API."""
    command = [
        "pgbench", "-n", "-M", "prepared", f"-c{CONNECTIONS}", "-j2", f"-T{seconds}", "-f", script,
        "-h", "127.0.0.1", "-p", str(postgres.port), "-U", client["role"],
        *[word for name, value in variables.items() for word in ("-D", f"{name}={value}")], "postgres",
    ]
    output, generator = timed(command, env=os.environ | {"PGPASSWORD": client["password"]})
    tps = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
    if not tps:
        sys.exit(f"bench: pgbench ended nothing in {seconds} s: is the machine busy with something else?\n{output}")
    return Measured(float(tps[1]), generator=generator)


def put_floor(postgres: Postgres, client: dict, folder: Path, seconds: float) -> Measured:
    command = [
        BINARIES / "bench_put_floor", "--port", str(postgres.port), "--role", client["role"],
        "--password", client["password"], "--insert", (HERE / "sql/insert.sql").read_text(),
        "--folder", folder, "--threads", str(CONNECTIONS), "--seconds", str(seconds),
    ]
    output, generator = timed(command)
    return Measured(json.loads(output)["per_second"], generator=generator)


def interleaved(rounds: int, loads: dict[str, Callable[[], Measured]]) -> dict[str, Measured]:
    """Medians of `rounds` rounds; each round runs every load once, so that all see the same machine."""
    runs: dict[str, list[Measured]] = {name: [] for name in loads}
    for number in range(rounds):
        for name, load in loads.items():
            measured = load()
            runs[name].append(measured)
            progress(f"  round {number + 1}: {name} {measured.per_second:,.0f}/s, p99 {measured.p99_ms:.1f} ms, {measured.cpu_us:.0f} µs of CPU each")
    return {name: median(of) for name, of in runs.items()}


def median(of: list[Measured]) -> Measured:
    return Measured(*(statistics.median(getattr(one, name) for one in of) for name in vars(of[0])))


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
