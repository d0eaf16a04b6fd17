"""The processes that are measured, each on 127.0.0.1 and gone when its context ends."""

import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARIES = Path(os.environ["BINARIES"])
POSTGRES_BIN = Path(os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin"))
# What production sets: the same for everybody who is measured.
POSTGRES_OPTIONS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}


# What keeps the kernel from giving a port away: to a connection, or to who asks for any.
HELD = []


def free_port() -> int:
    """A port that nobody else is given; a server that sets SO_REUSEADDR may listen there."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    HELD.append(held)
    return held.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen, seconds: float = 30) -> None:
    """Until `url` answers 200."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, urllib.error.URLError):
            with urllib.request.urlopen(url, timeout=5):
                return
        if process.poll() is not None or time.monotonic() > end:
            sys.exit(f"bench: {process.args[0]} does not answer at {url}: see its log in {os.environ['BENCH_LOGS']}")
        time.sleep(0.05)


@contextlib.contextmanager
def running(name: str, command: list, **options):
    """A process with its output in a log file; it is stopped, and waited for, at the end."""
    log = Path(os.environ["BENCH_LOGS"]) / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def scratch():
    """A folder on disk: /tmp may be memory."""
    folder = Path(tempfile.mkdtemp(prefix="docket-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Postgres:
    folder: Path
    port: int = field(default_factory=free_port)

    @contextlib.contextmanager
    def run(self):
        self.folder.mkdir()
        # Postgres refuses to run as root.
        as_user = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
            as_user = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]
        data = self.folder / "data"
        subprocess.run(
            [*as_user, POSTGRES_BIN / "initdb", "-D", data, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8",
             "--auth-local", "trust", "--auth-host", "scram-sha-256"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )
        options = [f"-c{name}={value}" for name, value in POSTGRES_OPTIONS.items()]
        command = [*as_user, POSTGRES_BIN / "postgres", "-D", data, "-k", self.folder, "-p", str(self.port), *options]
        with running("postgres", command, cwd="/"):
            while subprocess.run([POSTGRES_BIN / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode:
                time.sleep(0.05)
            yield self

    def psql(self, *, sql: str | None = None, file: Path | None = None, search_path: str = "public", **variables) -> None:
        """As superuser."""
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", "postgres"]
        command += [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        command += ["-f", str(file)] if file else []
        subprocess.run(command, input=sql, text=True, check=True, stdout=subprocess.DEVNULL,
                       env=os.environ | {"PGOPTIONS": f"-csearch_path={search_path}"})


@contextlib.contextmanager
def collector(folder: Path):
    """A collector as beside each API container, which throws away what it received. Its OTLP endpoint."""
    port = free_port()
    config = (HERE / "collector.yaml").read_text().replace("${port}", str(port))
    (folder / "collector.yaml").write_text(config)
    with running("collector", ["otelcol", "--config", folder / "collector.yaml"]) as process:
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if time.monotonic() > end:
                sys.exit("bench: the collector does not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid


@dataclass
class Server:
    """Something that answers HTTP."""

    url: str
    pid: int

    def cpu(self) -> float:
        """Seconds that it and its workers have used so far."""
        used = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.pid:  # it leads a session of its own
                    used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """The most that was resident since `forget_memory`, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024

    def forget_memory(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextlib.contextmanager
def docket(name: str, config: Path, environment: dict[str, str], flags: tuple[str, ...] = ()):
    ports = free_port(), free_port(), free_port()
    command = [
        BINARIES / "docket-api-server", "--config", config, *flags,
        "--listen", f"127.0.0.1:{ports[0]}", "--data-store-listen", f"127.0.0.1:{ports[1]}", "--drain-delay", "0s",
    ]
    # No flag: another commit's server may not know it.
    operations = f"127.0.0.1:{ports[2]}"
    environment = {"PATH": os.environ["PATH"], "DOCKET_OPERATIONS_LISTEN": operations} | environment
    with running(name, command, env=environment, preexec_fn=many_files) as process:
        url = f"http://127.0.0.1:{ports[0]}"
        wait_for(f"{url}/readyz", process)
        yield Server(url, process.pid)


@contextlib.contextmanager
def peer(name: str, postgres: Postgres, uploads: Path, client: str, environment: dict[str, str]):
    """The document API of peers/fastapi, two workers."""
    port = free_port()
    uploads.mkdir(exist_ok=True)
    environment = os.environ | environment | {
        "DATABASE_URL": f"postgresql+asyncpg://peer:peer-password@127.0.0.1:{postgres.port}/postgres",
        "UPLOADS": str(uploads),
        "API_KEY": f"{client}-key",
    }
    command = [
        os.environ["PEER_PYTHON"], "-m", "uvicorn", "document_api:app", "--app-dir", HERE / "peers/fastapi",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--no-access-log", "--log-level", "warning",
    ]
    with running(name, command, env=environment) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/health", process)
        yield Server(url, process.pid)


def many_files() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tenant(postgres: Postgres, folder: Path, content: str, clients: list[str]) -> dict:
    """Provisions the clients as the operator does; their configuration."""
    command = [BINARIES / "bench_tenant", "--port", str(postgres.port), "--content", content, *clients]
    made = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    postgres.psql(sql=made["sql"])
    (folder / "tenant.json").write_text(json.dumps(made["config"]))
    return made["config"]
