"""The collector beside an API container, with the very configuration that the operator generates."""

import contextlib
import json
import os
import re
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from processes import HERE, Server, free_port, running, wait_for

# A test of the operator sees that this is what it generates.
REVIEWED = HERE.parent / "operator/src/build/snapshots/docket_operator__build__tests__collector_config.snap"

# Of the container, by default.
MEMORY_MIB = 128


@dataclass
class Sidecar:
    server: Server  # its URL is that of OTLP
    metrics: str

    def sent(self) -> Counter:
        """How many items its exporter sent so far, by their kind."""
        page = urllib.request.urlopen(self.metrics).read().decode()
        items = Counter()
        for kind, value in re.findall(r"^otelcol_exporter_sent_(\w+)\{.*\} (\S+)$", page, re.MULTILINE):
            items[kind] += float(value)
        return items


@contextlib.contextmanager
def sidecar(folder: Path, gateway: int):
    """Only where it listens, sends to and keeps its queue is of this machine."""
    quoted = re.search(r"^  config.yaml: (\".*\")$", REVIEWED.read_text(), re.MULTILINE)
    otlp, health, metrics = free_port(), free_port(), free_port()
    queue = folder / f"queue-{otlp}"
    queue.mkdir()
    here = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"127.0.0.1:{otlp}"}}}},
        "processors": {"memory_limiter": {"limit_mib": MEMORY_MIB * 80 // 100, "spike_limit_mib": MEMORY_MIB * 20 // 100}},
        "exporters": {"otlp_grpc": {"endpoint": f"http://127.0.0.1:{gateway}"}},
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}, "file_storage": {"directory": str(queue)}},
        "service": {"telemetry": {"metrics": {"readers": [
            {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}},
        ]}}},
    }
    files = [folder / "sidecar.yaml", folder / "sidecar-here.yaml"]
    for file, text in zip(files, (json.loads(quoted[1]), json.dumps(here))):
        file.write_text(text)
    command = ["otelcol", *(f"--config={file}" for file in files)]
    with running("sidecar", command, env={"PATH": os.environ["PATH"], "POD_NAME": "bench-api-1"}) as process:
        wait_for(f"http://127.0.0.1:{health}/", process)
        yield Sidecar(Server(f"http://127.0.0.1:{otlp}", process.pid), f"http://127.0.0.1:{metrics}/metrics")
