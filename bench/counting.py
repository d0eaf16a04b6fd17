"""Counts the bytes on their way to a port of this machine."""

import contextlib
import socket
import threading
from dataclasses import dataclass


@dataclass
class Way:
    """Whoever connects to `port` is connected through."""

    port: int
    sent: int = 0  # bytes that callers sent


@contextlib.contextmanager
def counted(target: int):
    """A way to the port `target`."""
    listener = socket.create_server(("127.0.0.1", 0))
    way = Way(listener.getsockname()[1])
    threading.Thread(target=accept, args=(listener, target, way), daemon=True).start()
    try:
        yield way
    finally:
        listener.close()


def accept(listener: socket.socket, target: int, way: Way) -> None:
    while True:
        try:
            caller = listener.accept()[0]
        except OSError:  # closed: nobody is measured any more
            return
        called = socket.create_connection(("127.0.0.1", target))
        for source, sink, counts in ((caller, called, True), (called, caller, False)):
            threading.Thread(target=carry, args=(source, sink, way if counts else None), daemon=True).start()


def carry(source: socket.socket, sink: socket.socket, way: Way | None) -> None:
    with contextlib.suppress(OSError), source, sink:
        while data := source.recv(65536):
            sink.sendall(data)
            if way:
                way.sent += len(data)
