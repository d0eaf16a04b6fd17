"""Requests that try to make series: every part that a caller chooses is another one each time."""

import json
import random
import secrets
import socket
import urllib.request
from urllib.parse import urlsplit

METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

# For each set of labels: two counters, and a histogram of 15 bounds with +Inf, sum and count.
OF_A_REQUEST = 18 + 2
# Of a pair of operation and table, with and without success; of a component and its health: a counter and a histogram.
OPERATIONS, TABLES, COMPONENTS, HEALTHS = 5, 8, 3, 3
# Connections and who waited for one in vain, memory, telemetry exported and dropped, maintenance, target_info.
OTHERS = 3 + 1 + 2 + 3 + 6 + 8 + 2 + 1


def bound(url: str) -> int:
    """The most series that an API may show, whatever callers send: docs/telemetry.md."""
    paths = json.load(urllib.request.urlopen(f"{url}/openapi.json"))["paths"]
    anybody = {"400", "405", "500"}
    answers = 3 * (len(METHODS) + 1)  # paths that are not served
    for item in paths.values():
        served = {method.upper(): set(operation["responses"]) for method, operation in item.items()}
        served.setdefault("HEAD", served.get("GET", set()))
        answers += sum(len(served.get(method, set()) | anybody) for method in [*METHODS, "_OTHER"])
    # The data store creates documents, and answers there what an upload may get.
    answers += len(set(paths["/clients/{client}/upload-document"]["put"]["responses"]) - anybody)
    return OF_A_REQUEST * answers + 19 * (2 * OPERATIONS * TABLES + COMPONENTS * HEALTHS) + OTHERS


def series(url: str) -> int:
    """How many an API shows."""
    page = urllib.request.urlopen(f"{url}/metrics").read().decode()
    return sum(1 for line in page.splitlines() if line and not line.startswith("#"))


def send(url: str, client: str, count: int) -> None:
    """Whatever is answered is fine."""
    address = urlsplit(url)
    paths = list(json.load(urllib.request.urlopen(f"{url}/openapi.json"))["paths"])
    for _ in range(count):
        with socket.create_connection((address.hostname, address.port), 10) as connection:
            connection.sendall(request(random.choice([*paths, "/{a}", "/{a}/{b}", "/clients/{client}/{c}"]), client))
            while connection.recv(65536):
                pass


def request(path: str, client: str) -> bytes:
    word = secrets.token_hex
    method = random.choice([*METHODS, word(4).upper()])
    path = path.replace("{client}", random.choice([client, word(6)])).replace("{id}", random.choice(["1", word(4)]))
    while "{" in path:
        begin, end = path.index("{"), path.index("}")
        path = path[:begin] + word(5) + path[end + 1 :]
    key = random.choice([f"{client}-key", word(16)])
    body = word(random.randrange(20)).encode()
    head = (
        f"{method} {path}?{word(3)}={word(3)} HTTP/1.1\r\nHost: {word(4)}\r\nX-API-Key: {key}\r\nX-Request-ID: {word(8)}\r\n"
        f"User-Agent: {word(8)}\r\nIf-Match: \"{word(4)}\"\r\nContent-Type: {word(3)}/{word(3)}\r\nX-{word(4)}: {word(4)}\r\n"
        f"baggage: {word(3)}={word(3)}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
