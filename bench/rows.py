"""The rows of the table, one function each."""

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import hostile
from counting import counted
from load import CONNECTIONS, Measured, interleaved, pgbench, progress, put_floor, timed, wrk
from processes import HERE, Postgres, docket, peer
from sidecar import MEMORY_MIB, sidecar
from table import Row, at_least, at_most

MIB = 1024 * 1024
WORDS = 20_000  # in the names and texts of documents
GET = "GET of a document's metadata, 64 connections"
PUT = "PUT of a document of 1 KiB, 64 connections, durable"
PACE = 1_000  # requests a second


@dataclass
class Size:
    """How long and how large: the real thing, or the short form that shows that it all runs."""

    rounds: int
    seconds: int
    few: int  # documents
    some: int
    many: int
    file: int  # bytes
    connections: int
    paced: int  # seconds
    hostile: int  # requests
    views: int  # page views


FULL = Size(rounds=5, seconds=8, few=1_000, some=100_000, many=1_000_000, file=1024 * MIB, connections=10_000,
            paced=60, hostile=10_000, views=12_000_000)
SHORT = Size(rounds=1, seconds=1, few=1_000, some=2_000, many=20_000, file=64 * MIB, connections=1_000,
             paced=3, hostile=500, views=91_000)


@dataclass
class Bench:
    size: Size
    folder: Path
    postgres: Postgres
    config: Path
    clients: dict[str, dict]
    telemetry: dict[str, str]  # environment that turns everything on
    flame: Path | None  # where to draw what the API server does

    def docket(self, name: str, environment: dict[str, str] | None = None, flags: tuple[str, ...] = ()):
        return docket(name, self.config, self.telemetry if environment is None else environment, flags)

    def peer(self, name: str, environment: dict[str, str]):
        return peer(name, self.postgres, self.folder / f"uploads-{name}", "some", environment)

    def get(self, server) -> Measured:
        return wrk(server, "get", "/clients/some/documents/", self.size.some, "some-key", seconds=self.size.seconds)

    def put(self, server) -> Measured:
        return wrk(server, "put", "/clients/some/upload-document", 1024, "some-key", seconds=self.size.seconds)


def rates(**measured: Measured) -> str:
    return ", ".join(f"{name} {one.per_second:,.0f}/s" for name, one in measured.items())


def get_metadata(bench: Bench) -> list[Row]:
    with bench.docket("docket") as ours, bench.peer("peer", {}) as bare, bench.peer("peer-traced", bench.telemetry) as traced:
        of = interleaved(bench.size.rounds, {
            "floor": lambda: pgbench(bench.postgres, bench.clients["some"], HERE / "sql/get.pgbench", bench.size.seconds, count=bench.size.some),
            "docket": lambda: bench.get(ours),
            "peer": lambda: bench.get(bare),
            "peer traced": lambda: bench.get(traced),
        })
        if bench.flame:
            drawing = subprocess.Popen([HERE / "flame.sh", str(ours.pid), str(bench.size.seconds), bench.flame])
            bench.get(ours)
            if drawing.wait():
                sys.exit("bench: no flame graph: is perf installed?")
    floor, ours, bare, traced = of.values()
    generator = f"the generator took {ours.generator:.0%} of the machine"
    return [
        at_least(f"{GET}: docket / peer", ours.per_second / bare.per_second, 10, rates(docket=ours, peer=bare)),
        at_least(f"{GET}: docket / floor", ours.per_second / floor.per_second, 0.45, f"{rates(floor=floor)}; {generator}"),
        Row(f"{GET}: docket / peer with its telemetry on", "", f"{ours.per_second / traced.per_second:.2f} ({rates(peer=traced)})", None),
    ]


def put_small(bench: Bench) -> list[Row]:
    objects = bench.folder / "floor"
    objects.mkdir()
    with bench.docket("docket") as ours, bench.peer("peer", {}) as bare:
        of = interleaved(bench.size.rounds, {
            "floor": lambda: put_floor(bench.postgres, bench.clients["floor"], objects, bench.size.seconds),
            "docket": lambda: bench.put(ours),
            "peer": lambda: bench.put(bare),
        })
    floor, ours, bare = of.values()
    return [
        at_least(f"{PUT}: docket / peer", ours.per_second / bare.per_second, 5, rates(docket=ours, peer=bare)),
        at_least(f"{PUT}: docket / floor", ours.per_second / floor.per_second, 0.4, rates(floor=floor)),
    ]


def page_views(bench: Bench) -> list[Row]:
    """Bodies of one view and of a thousand: what a page sends, and what a server passes on."""
    def tell(server, count: int) -> Measured:
        return wrk(server, "views", "/clients/some/page-views", count, "some-key", seconds=bench.size.seconds)

    rows = []
    with bench.docket("docket") as ours, bench.peer("peer", {}) as bare:
        for count in (1, 1_000):
            of = interleaved(bench.size.rounds, {
                "floor": lambda: pgbench(bench.postgres, bench.clients["floor"], HERE / "sql/views.pgbench", bench.size.seconds, views=count),
                "docket": lambda: tell(ours, count),
                "peer": lambda: tell(bare, count),
            })
            floor, docket_, peer_ = of.values()
            what = f"POST of {count:,} page view{'s' if count > 1 else ''}, 64 connections, durable"
            views = f"docket {docket_.per_second * count:,.0f} views/s, peer {peer_.per_second * count:,.0f}"
            rows += [
                at_least(f"{what}: docket / peer", docket_.per_second / peer_.per_second, 10, views),
                at_least(f"{what}: docket / floor", docket_.per_second / floor.per_second, 0.5, f"floor {floor.per_second * count:,.0f} views/s"),
            ]
    return rows


def page_view_report(bench: Bench) -> list[Row]:
    """A report of 90 days by path, of 12 million views, today's among them."""
    bench.postgres.psql(file=HERE / "sql/page_views.sql", search_path=bench.clients["big"]["schema"], days=91, a_day=bench.size.views // 91)
    today = date.today()
    path = f"/clients/big/page-views/report?by=path&limit=100&from={today - timedelta(days=89)}&to={today}"
    took = []
    with bench.docket("docket") as ours:
        for _ in range(20):
            request = urllib.request.Request(ours.url + path, headers={"X-API-Key": "big-key"})
            started = time.monotonic()
            urllib.request.urlopen(request).read()
            took.append((time.monotonic() - started) * 1000)
    detail = f"the slowest of 20; median {statistics.median(took):.0f} ms"
    return [at_most(f"Report of 90 days by path, {bench.size.views:,} page views", max(took), 200, "ms", detail)]


def list_page(bench: Bench) -> list[Row]:
    def page(server, client: str, count: int):
        path = f"/clients/{client}/documents"
        return wrk(server, "list", path, count, f"{client}-key", seconds=bench.size.seconds, connections=8)

    with bench.docket("docket") as ours:
        of = interleaved(bench.size.rounds, {
            "few": lambda: page(ours, "few", bench.size.few),
            "many": lambda: page(ours, "many", bench.size.many),
        })
    few, many = of.values()
    detail = f"p99 {many.p99_ms:.1f} ms of {bench.size.many:,}, {few.p99_ms:.1f} ms of {bench.size.few:,}; 8 connections, pages anywhere"
    return [at_most("List of 50, p99: many documents / few", many.p99_ms / few.p99_ms, 3, "", detail)]


def search(bench: Bench) -> list[Row]:
    with bench.docket("docket") as ours:
        of = interleaved(bench.size.rounds, {
            "search": lambda: wrk(ours, "search", "/clients/many/documents", WORDS, "many-key", seconds=bench.size.seconds, connections=1),
        })["search"]
    detail = f"{of.per_second:,.0f}/s; 1 connection, one or two words of {WORDS:,}, frequent ones more often"
    return [at_most(f"Search in {bench.size.many:,} documents, p99", of.p99_ms, 100, "ms", detail)]


def large_file(bench: Bench) -> list[Row]:
    big, copy = bench.folder / "big", bench.folder / "copy"
    block = os.urandom(16 * MIB)
    with big.open("wb") as file:
        for _ in range(bench.size.file // len(block)):
            file.write(block)
    subprocess.run(["sync", big], check=True)

    def run(*command) -> float:
        started = time.monotonic()
        timed(list(command))
        return time.monotonic() - started

    curl = ["curl", "-sS", "--fail-with-body", "-H", "X-API-Key: big-key"]
    took: dict[str, list[float]] = {"cp": [], "sha256sum": [], "put": [], "get": []}
    with bench.docket("docket") as ours:
        ours.forget_memory()
        url = f"{ours.url}/clients/big"
        for number in range(bench.size.rounds):
            copy.unlink(missing_ok=True)
            took["cp"].append(run("cp", big, copy) + run("sync", copy))
            took["sha256sum"].append(run("sha256sum", copy))
            copy.unlink()
            took["put"].append(run(*curl, "-X", "PUT", "-F", f"file=@{big}", "-o", bench.folder / "answer", f"{url}/upload-document"))
            took["get"].append(run(*curl, "-o", copy, f"{url}/documents/{number + 1}/content"))
            run("cmp", big, copy)
            progress(f"  round {number + 1}: " + ", ".join(f"{name} {of[-1]:.2f} s" for name, of in took.items()))
        memory = ours.memory() / MIB
    cp, sha256sum, put, get = (statistics.median(of) for of in took.values())
    size = f"{bench.size.file // MIB:,} MiB"
    detail = f"cp and sync {cp:.2f} s, sha256sum {sha256sum:.2f} s"
    return [
        at_least(f"PUT of {size}: (cp + sha256sum) / docket", (cp + sha256sum) / put, 0.7, f"{put:.2f} s; {detail}"),
        at_least(f"GET of {size}: (cp + sha256sum) / docket", (cp + sha256sum) / get, 0.7, f"{get:.2f} s"),
        at_most(f"PUT and GET of {size}: resident memory", memory, 128, "MiB", "the highest throughout"),
    ]


def idle_connections(bench: Bench) -> list[Row]:
    request = b"GET /clients/some/documents/1 HTTP/1.1\r\nHost: bench\r\nX-API-Key: some-key\r\n\r\n"
    # Else they would be closed while the others are being opened, and waited for as more than the memory is for.
    with bench.docket("docket", flags=("--idle-timeout", "10m", "--memory", str(8 * 1024 * MIB))) as ours:
        port = int(ours.url.rsplit(":", 1)[1])
        connections = []
        for _ in range(bench.size.connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(request)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200"), "a connection was not answered"
            connections.append(connection)
        memory = ours.memory() / MIB
        for connection in connections:
            connection.close()
    return [at_most(f"{bench.size.connections:,} idle connections: resident memory", memory, 256, "MiB", "each had one answer")]


def telemetry(bench: Bench) -> list[Row]:
    lines_only = {"OTEL_SDK_DISABLED": "true"}
    nothing = lines_only | {"RUST_LOG": "off"}
    with bench.docket("on") as on, bench.docket("lines", lines_only) as lines, bench.docket("off", nothing) as off:
        of = interleaved(bench.size.rounds, {
            "on": lambda: bench.get(on), "lines only": lambda: bench.get(lines), "off": lambda: bench.get(off),
        })
    on, lines, off = of.values()
    return [
        at_least(f"{GET}: OpenTelemetry on / off", on.per_second / lines.per_second, 0.95, rates(on=on, off=lines)),
        at_least(f"{GET}: log lines on / off", lines.per_second / off.per_second, 0.95, rates(on=lines, off=off)),
        at_least(f"{GET}: all telemetry on / off", on.per_second / off.per_second, 0.95, rates(on=on, off=off)),
    ]


def beside_the_api(bench: Bench) -> list[Row]:
    """The sidecar at a steady rate, with the traces that are recorded by default and with all."""
    all_traces = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"}
    return paced(bench, "sidecar", {}) + paced(bench, "sidecar with all traces", all_traces)


def paced(bench: Bench, name: str, sampling: dict[str, str]) -> list[Row]:
    cycle = CONNECTIONS * 1000 / PACE

    def get(server, pause: float, seconds: int) -> Measured:
        path = "/clients/some/documents/"
        return wrk(server, "paced", path, bench.size.some, "some-key", round(pause), seconds=seconds)

    gateway = int(bench.telemetry["OTEL_EXPORTER_OTLP_ENDPOINT"].rsplit(":", 1)[1])
    with counted(gateway) as way, sidecar(bench.folder, way.port) as beside:
        # As the operator sets it.
        telemetry = {"OTEL_EXPORTER_OTLP_ENDPOINT": beside.server.url, "OTEL_METRIC_EXPORT_INTERVAL": "15000"}
        with bench.docket("docket", telemetry | sampling) as ours:
            # What a request takes beside the pause is not known before.
            tried = get(ours, cycle, max(1, bench.size.paced // 10))
            pause = 2 * cycle - CONNECTIONS * 1000 / tried.per_second
            beside.server.forget_memory()
            sent, used, items = way.sent, beside.server.cpu(), beside.sent()
            of = get(ours, pause, bench.size.paced)
            sent, used, items = way.sent - sent, beside.server.cpu() - used, beside.sent() - items
            memory = beside.server.memory() / MIB
    requests = of.per_second * bench.size.paced
    share = f"{used / bench.size.paced:.1%} of one processor"
    each = ", ".join(f"{items[kind] / requests:.3f} {kind.replace('_', ' ')}" for kind in sorted(items))
    work = f"{PACE:,} GETs of metadata a second, {name}"
    return [
        at_most(f"{work}: resident memory", memory, MEMORY_MIB, "MiB", "the highest throughout; its container may have as much"),
        Row(f"{work}: processor time", "", f"{share} ({used * 1e6 / requests:.0f} µs a request, {of.per_second:,.0f}/s)", None),
        Row(f"{work}: sent to the gateway", "", f"{sent / requests:.0f} bytes a request ({each})", None),
    ]


def series_of_a_pod(bench: Bench) -> list[Row]:
    """What callers can make of labels."""
    with bench.docket("docket") as ours:
        bench.get(ours)
        few = hostile.series(ours.url)
        hostile.send(ours.url, "some", bench.size.hostile)
        many, bound = hostile.series(ours.url), hostile.bound(ours.url)
    work = f"Series of an API after {bench.size.hostile:,} hostile requests"
    return [Row(work, f"≤ {bound:,}", f"{many:,} ({few:,} before them)", many <= bound)]


ROWS = {
    "get": get_metadata,
    "put": put_small,
    "views": page_views,
    "report": page_view_report,
    "list": list_page,
    "search": search,
    "large": large_file,
    "idle": idle_connections,
    "telemetry": telemetry,
    "sidecar": beside_the_api,
    "series": series_of_a_pod,
}
