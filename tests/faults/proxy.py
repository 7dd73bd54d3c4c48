"""A proxy in front of the local AWS that breaks connections as networks do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Break(StrEnum):
    """How a connection ends. With the first two the call has no effect, with the others it has."""

    IN_REQUEST = "reset within the request"
    SILENT = "half-open: taken, never answered"
    BEFORE_ANSWER = "reset before the answer"
    IN_HEAD = "answer cut within its head"
    IN_BODY = "answer cut within its body"


@dataclass
class Rule:
    """Breaks the next `times` calls of an operation ("UpdateItem") whose request contains one of the texts."""

    operation: str
    broken: Break
    contains: tuple[str, ...] = ("",)
    times: int = 1


@dataclass
class Proxy:
    """`url` replaces that of the local AWS. `rules`, and how far its clock is ahead, may be set at any time."""

    server: ProxyServer
    rules: list[Rule] = field(default_factory=list)
    ahead_s: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    def take(self, operation: str, body: str) -> Break | None:
        """Return how to break this call, or None."""
        with self.lock:
            for rule in self.rules:
                if rule.operation == operation and rule.times and any(text in body for text in rule.contains):
                    rule.times -= 1
                    return rule.broken
        return None

    def reset_all(self) -> int:
        """Reset every open connection; returns their number."""
        with self.lock:
            result = list(self.server.open)
        for connection in result:
            with contextlib.suppress(OSError):  # its client has hung up
                reset(connection)
                connection.shutdown(socket.SHUT_RD)  # ends the wait for the next request
        return len(result)


class ProxyServer(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, upstream: str):
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream, self.proxy = urlsplit(upstream), Proxy(self)
        self.open: set[socket.socket] = set()

    def shutdown_request(self, request: Any) -> None:
        """Only close the socket: a shutdown would send FIN instead of RST."""
        with self.proxy.lock:
            self.open.discard(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: a client whose connection breaks is expected."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ProxyServer
    timeout = 60

    def setup(self) -> None:
        super().setup()
        with self.server.proxy.lock:
            self.server.open.add(self.connection)

    def do_POST(self) -> None:  # the name is the library's
        length = int(self.headers.get("Content-Length", 0))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        body = self.rfile.read(length)
        broken = self.server.proxy.take(operation, body.decode())
        if broken in (Break.IN_REQUEST, Break.SILENT):
            if broken is Break.SILENT:
                self.connection.recv(1)  # until the client gives up
            return self._end(reset_it=True)
        answer = self._ask(body)
        if broken is None:
            self.wfile.write(b"".join(answer))
            return None
        head, content = answer
        cut = {Break.IN_HEAD: head[: len(head) // 2], Break.IN_BODY: head + content[: len(content) // 2]}
        self.wfile.write(cut.get(broken, b""))
        return self._end(reset_it=broken is Break.BEFORE_ANSWER)

    def _ask(self, body: bytes) -> tuple[bytes, bytes]:
        """Return the head and body of the local AWS's response."""
        upstream = HTTPConnection(self.server.upstream.hostname or "", self.server.upstream.port, timeout=60)
        try:
            upstream.request("POST", self.path, body, dict(self.headers))
            response = upstream.getresponse()
            content = response.read()
        finally:
            upstream.close()
        kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _FRAMING]
        if ahead := self.server.proxy.ahead_s:
            now = datetime.now(UTC) + timedelta(seconds=ahead)
            kept = [(name, format_datetime(now, usegmt=True) if name == "Date" else value) for name, value in kept]
        lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in kept)]
        head = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""])
        return head.encode("latin-1"), content

    def _end(self, reset_it: bool) -> None:
        if reset_it:
            reset(self.connection)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing."""


_FRAMING = {"content-length", "transfer-encoding", "connection"}


def reset(connection: socket.socket) -> None:
    """Make the connection end with RST when it is closed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of `upstream`, on a port of its own, until the block ends."""
    with ProxyServer(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.proxy
        finally:
            server.shutdown()
            thread.join()
