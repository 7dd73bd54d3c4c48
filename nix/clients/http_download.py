"""Probe and download files over HTTP, and classify the failures."""

import contextlib
import enum
import http.client
import io
import socket
import ssl
import threading
import urllib.error
import urllib.request
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from http.client import HTTPConnection as Connection
else:  # a mixin: its subclasses name HTTPConnection or HTTPSConnection after it
    Connection = object

PROBE_S, READ_S = 5.0, 30.0
NOT_THERE, TIMED_OUT = (404, 410), "timed out"
BLOCK = 1 << 16


class Kind(enum.Enum):
    """The meaning of a failure for other files and for a second attempt."""

    ABSENT = "the server answered, and does not have this file"
    UNREACHABLE = "no connection to this server can be made"
    UNCLEAR = "the server may have the file: it is slow, busy, broken or requires credentials"


@dataclass(frozen=True)
class Failure:
    """Why a request failed: `reason` in a few words, the same for all files of a server where possible."""

    kind: Kind
    reason: str


class LineReader(io.BufferedReader):
    """A reader that keeps the last line it has read."""

    last_line = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line."""
        self.last_line = super().readline(size)
        return self.last_line


class WholeHeaders(http.client.HTTPResponse):
    """A response whose headers end with an empty line. http.client accepts the end of the connection as well."""

    def begin(self) -> None:
        """Read status and headers; IncompleteRead if the connection ends before they do."""
        self.fp = reader = LineReader(self.fp.detach())
        super().begin()
        if reader.last_line not in (b"\r\n", b"\n"):
            raise http.client.IncompleteRead(reader.last_line)


class HeaderDeadline(Connection):
    """A connection that must receive all headers within its timeout, and that `hang_up` ends from another thread.

    A socket's timeout applies to a single read: a server that sends a header line every four seconds never exceeds it.
    """

    open: ClassVar[weakref.WeakSet[socket.socket]] = weakref.WeakSet()
    lock: ClassVar[threading.Lock] = threading.Lock()  # of `open`: a set that grows cannot be iterated
    response_class = WholeHeaders
    _is_late = False

    def connect(self) -> None:
        """Connect, and register the socket."""
        super().connect()
        with self.lock:
            self.open.add(self.sock)

    def getresponse(self) -> http.client.HTTPResponse:
        """Read status and headers; TimeoutError after the connection's timeout.

        The deadline is for all of them together: the socket's own timeout begins anew with each byte. Reading the body
        has no deadline here.
        """
        timer = threading.Timer(self.timeout or READ_S, self._end, [self.sock])  # the answer may take the socket over
        timer.start()
        try:
            answer = super().getresponse()
        except (OSError, http.client.HTTPException):
            if self._is_late:
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()
        if self._is_late:
            raise TimeoutError
        return answer

    def _end(self, connection: socket.socket) -> None:
        self._is_late = True
        shut(connection)


class Plain(HeaderDeadline, http.client.HTTPConnection):
    """An HTTP connection."""


class Encrypted(HeaderDeadline, http.client.HTTPSConnection):
    """An HTTPS connection."""


class PlainHandler(urllib.request.HTTPHandler):
    """Opens `http:` addresses."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send the request."""
        return self.do_open(Plain, request)


class EncryptedHandler(urllib.request.HTTPSHandler):
    """Opens `https:` addresses."""

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send the request."""
        return self.do_open(Encrypted, request)


def shut(connection: socket.socket) -> None:
    """End a connection that another thread may be reading from."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def hang_up() -> None:
    """End every open connection of this process's clients; their downloads fail as truncated."""
    with HeaderDeadline.lock:
        connections = list(HeaderDeadline.open)
    for connection in connections:
        shut(connection)


def create_opener(proxies: Mapping[str, str] | None = None) -> urllib.request.OpenerDirector:
    """Return a client that follows redirects.

    `proxies` by scheme replace those of the environment; an empty address means a direct connection.
    """
    merged = {scheme: proxy for scheme, proxy in {**urllib.request.getproxies(), **(proxies or {})}.items() if proxy}
    return urllib.request.build_opener(PlainHandler, EncryptedHandler, urllib.request.ProxyHandler(merged))


def probe(client: urllib.request.OpenerDirector, address: str, size: int | None = None) -> Failure | None:
    """Send HEAD for a file of `size` bytes; return None if it is at the address, else the failure.

    Waits PROBE_S seconds at most for each step. A server that announces no length is believed.
    """
    try:
        request = urllib.request.Request(address, method="HEAD")
        with client.open(request, timeout=PROBE_S) as answer:
            length = read_announced_length(answer.headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return classify_failure(error)
    if size is not None and length is not None and length != size:
        return Failure(Kind.ABSENT, "another file of that name")
    return None


def download(
    client: urllib.request.OpenerDirector,
    address: str | urllib.request.Request,
    path: Path,
    stop: threading.Event | None = None,
) -> Failure | None:
    """Write what is at an address to `path`; the caller verifies it. On failure nothing is left at `path`.

    `stop` ends a download of another thread: at the next block it fails as truncated.
    """
    try:
        with client.open(address, timeout=READ_S) as answer, path.open("wb") as file:
            while (block := answer.read(BLOCK)) and not (stop and stop.is_set()):
                file.write(block)
            length = read_announced_length(answer.headers)
            if length is not None and length != file.tell():
                raise http.client.IncompleteRead(b"", length - file.tell())
    except (OSError, http.client.HTTPException, ValueError) as error:
        path.unlink(missing_ok=True)
        return classify_failure(error)
    return None


def read_announced_length(headers: Message) -> int | None:
    """Return the Content-Length in bytes; None if it is absent or not a number."""
    length = str(headers.get("Content-Length", "")).strip()
    return int(length) if length.isascii() and length.isdigit() else None


def classify_failure(error: Exception) -> Failure:
    """Classify an exception of urllib's.

    ABSENT concerns this file, UNREACHABLE every file of the server; after UNCLEAR another attempt may succeed.
    """
    if isinstance(error, urllib.error.HTTPError):
        kind = Kind.ABSENT if error.code in NOT_THERE else Kind.UNCLEAR
        return Failure(kind, f"{error.code} {format_cause(error.reason)}")
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Failure(Kind.UNREACHABLE, f"certificate verify failed: {cause.verify_message}")
    if isinstance(cause, FileNotFoundError):
        return Failure(Kind.ABSENT, "no such file")
    if isinstance(cause, TimeoutError):
        return Failure(Kind.UNCLEAR, TIMED_OUT)
    if isinstance(cause, http.client.IncompleteRead) or is_reset(error):
        return Failure(Kind.UNCLEAR, "the answer was truncated")
    if isinstance(cause, socket.gaierror):
        return Failure(Kind.UNREACHABLE, "host name not found")
    return Failure(Kind.UNREACHABLE, format_cause(cause))


def is_reset(error: Exception) -> bool:
    """Return whether a connection broke within an answer; urllib wraps the errors of connecting and of the request.

    A connection that `hang_up` ended is reset, too, if the server sends more before its end is read.
    """
    return isinstance(error, ConnectionResetError) and not isinstance(error, http.client.RemoteDisconnected)


def format_cause(cause: object) -> str:
    """Format a cause for people, in one line: an operating system's error without its number."""
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return (text or type(cause).__name__).strip().splitlines()[0][:120]
