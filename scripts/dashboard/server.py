"""The dashboard's HTTP server: loopback only, GET and HEAD only, and no answers to other origins."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from local_aws.browsers import find_refusal

from ..console.errors import OperationFailed
from ..console.output import to_json_types
from . import page
from .board import Board

ADDRESS = "127.0.0.1"
PORT = 8765
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FILES = {
    "/dashboard.css": "text/css; charset=utf-8",
    "/dashboard.js": "text/javascript; charset=utf-8",
    "/favicon.svg": "image/svg+xml",
}
JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"


class Server(ThreadingHTTPServer):
    """An HTTP server on a loopback port with daemon threads."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, board: Board, port: int = 0) -> None:
        self.board = board
        self.visibility_timeout_s = float(board.connection.stage.queues.visibility_timeout_s)
        super().__init__((ADDRESS, port), Answer)

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """The page's URL."""
        return f"http://{ADDRESS}:{self.port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of a connection: a browser may leave at any time, and other errors were answered with 500."""


def listen(board: Board, port: int | None = None) -> Server:
    """Return a server on `port`, or on 8765 or a free port; OperationFailed if `port` is in use.

    Binds to the loopback, and does not serve yet.
    """
    if port is not None:
        try:
            return Server(board, port)
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
            raise OperationFailed(
                f"port {port} {why}", "choose another port (make: PORT=), or none for a free one"
            ) from None
    try:
        return Server(board, PORT)
    except OSError:
        return Server(board, 0)


class Answer(BaseHTTPRequestHandler):
    """Answers the requests of a connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dashboard", ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer a GET request."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer as GET, without the body."""
        self._answer(body=False)

    def _refuse(self) -> None:
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b"this page is for reading: GET or HEAD\n", True)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse

    def _answer(self, body: bool) -> None:
        if problem := find_refusal(self.command, self.path, self.headers.items(), is_page=True):
            self._send(HTTPStatus.MISDIRECTED_REQUEST, TEXT, f"{problem}\n".encode(), body)
            return
        path = urlsplit(self.path).path
        try:
            response = self._route(path)
        except Exception as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, f"{type(error).__name__}\n".encode(), body)
            return
        if response is None:
            self._send(HTTPStatus.NOT_FOUND, TEXT, b"there is no such page here: /\n", body)
        else:
            self._send(HTTPStatus.OK, *response, body)

    def _route(self, path: str) -> tuple[str, bytes] | None:
        if path in FILES:
            return FILES[path], (page.FOLDER / path[1:]).read_bytes()
        routes: dict[str, tuple[str, Callable[[], str]]] = {
            "/": (HTML, self._page),
            "/panels": (JSON, self._panels),
            "/snapshot.json": (
                JSON,
                lambda: json.dumps(to_json_types(self.server.board.take_snapshot()), ensure_ascii=False),
            ),
        }
        if path not in routes:
            return None
        kind, make = routes[path]
        return kind, make().encode()

    def _page(self) -> str:
        return page.render_page(self.server.board.take_snapshot(), self.server.visibility_timeout_s)

    def _panels(self) -> str:
        snapshot = self.server.board.take_snapshot()
        times = {
            f"read-{name}": page.format_clock(panel.read_at, snapshot.at) if panel.read_at else "not read yet"
            for name, panel in snapshot.panels.items()
        }
        parts = page.render_fragments(snapshot, self.server.visibility_timeout_s)
        document = {
            "at": page.format_iso(snapshot.at),
            "updated": page.format_clock(snapshot.at, snapshot.at),
            "times": times,
            "parts": parts,
        }
        return json.dumps(document, ensure_ascii=False)

    def _send(self, status: HTTPStatus, kind: str, content: bytes, body: bool) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing on the user's terminal."""


def serve(server: Server, ended: threading.Event) -> None:
    """Serve until `ended` is set; the port is free on return.

    Requests under way are not waited for: their threads end with the process.
    """
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        ended.wait()
    finally:
        server.shutdown()
        server.socket.close()
