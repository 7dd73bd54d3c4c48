"""The playground's HTTP server: loopback only, and only for those who have the address with its key.

A page of another origin can send requests to 127.0.0.1, and so can other users of this machine; a card can call a
provider with this user's key. So every request needs the key, which is new with each start, in a header that a foreign
page cannot send, and a Host that is this address, which a name that was bound to 127.0.0.1 is not.
"""

from __future__ import annotations

import errno
import hmac
import json
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from plexus.exceptions import InvalidData, InvalidScorecard, PlexusError
from plexus.playground import page
from plexus.playground.answers import Playground, list_problems, read_request
from plexus.text import parse_json

ADDRESS, PORT = "127.0.0.1", 8766
MAXIMUM_BYTES = 2 * 1024 * 1024  # of a request
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address has the key
    "Cache-Control": "no-store",
}
JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"


class Server(ThreadingHTTPServer):
    """An HTTP server on a loopback port with daemon threads, and a key."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, playground: Playground, port: int = 0) -> None:
        self.playground = playground
        self.key = secrets.token_urlsafe(24)
        super().__init__((ADDRESS, port), Handler)

    @property
    def hosts(self) -> tuple[str, str]:
        """The accepted values of the Host header."""
        port = int(self.server_address[1])
        return f"{ADDRESS}:{port}", f"localhost:{port}"

    @property
    def address(self) -> str:
        """The page's URL, with the key."""
        return f"http://{self.hosts[0]}/?key={self.key}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore errors of a connection: a browser may close it at any time, and other errors are answered with 500."""


def listen(playground: Playground, port: int | None = None) -> Server:
    """Return a server on `port`, or on 8766 or else a free port. Raises PlexusError if `port` cannot be used.

    Binds to the loopback, and does not serve yet. The caller closes the server.
    """
    if port is None:
        try:
            return Server(playground, PORT)
        except OSError:
            return Server(playground)
    try:
        return Server(playground, port)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise PlexusError(f"port {port} {why}. next: another --port, or none for a free one") from None


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection; closes it after 180 s without a request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "plexus", ""
    timeout = 180

    def do_GET(self) -> None:
        """Answer with the page."""
        target = urlsplit(self.path)
        keys = parse_qs(target.query).get("key", [""])
        if problem := self._find_foreign_header():
            self._send(HTTPStatus.MISDIRECTED_REQUEST, TEXT, problem)
        elif target.path != "/":
            self._send(HTTPStatus.NOT_FOUND, TEXT, f"no such page: got {target.path}, expected /")
        elif not self._is_key(keys[0]):
            self._send(
                HTTPStatus.FORBIDDEN, TEXT, "the key is missing or wrong. next: open the address that is printed"
            )
        else:
            self._send_page()

    def _send_page(self) -> None:
        try:
            content, policy = page.render(self.server.playground, self.server.key)
        except PlexusError as error:  # the file was moved or damaged after the start
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, str(error))
        except Exception as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, type(error).__name__)
        else:
            self._send(HTTPStatus.OK, HTML, content, policy)

    def do_POST(self) -> None:
        """Answer /lint with problems, and /score with outcomes, both as JSON."""
        if problem := self._find_foreign_header():
            self._send(HTTPStatus.MISDIRECTED_REQUEST, TEXT, problem)
        elif not self._is_key(self.headers.get("X-Plexus-Key", "")):
            self._send(HTTPStatus.FORBIDDEN, TEXT, "X-Plexus-Key: the key is missing or wrong")
        elif self.headers.get_content_type() != JSON:
            self._send(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, TEXT, f"Content-Type: expected {JSON}")
        elif not (length := self.headers.get("Content-Length", "")).isdecimal():
            self._send(HTTPStatus.LENGTH_REQUIRED, TEXT, "Content-Length: expected a number")
        elif len(length) > len(str(MAXIMUM_BYTES)) or int(length) > MAXIMUM_BYTES:
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TEXT, f"the request: got more than {MAXIMUM_BYTES} bytes")
        else:
            self._send(*self._answer(self.path, self.rfile.read(int(length))))

    def _refuse(self) -> None:
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, f"the method: got {self.command}, expected GET or POST")

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_HEAD = _refuse

    def _answer(self, path: str, body: bytes) -> tuple[HTTPStatus, str, str]:
        playground = self.server.playground
        try:
            document = json.loads(body)
            if path == "/lint":
                (card,) = read_request(document, "card")
                return HTTPStatus.OK, JSON, json.dumps({"problems": playground.lint(card)})
            if path == "/score":
                card, text, metadata = read_request(document, "card", "text", "metadata")
                scores = playground.score(card, text, _parse_metadata(metadata))
                return HTTPStatus.OK, JSON, json.dumps({"scores": scores})
            return HTTPStatus.NOT_FOUND, TEXT, f"no such page: got {path}, expected /lint or /score"
        except InvalidScorecard as error:
            return HTTPStatus.OK, JSON, json.dumps({"errors": list_problems(error)})
        except PlexusError as error:
            return HTTPStatus.OK, JSON, json.dumps({"errors": [str(error)]})
        except (ValueError, RecursionError) as error:
            return HTTPStatus.BAD_REQUEST, TEXT, f"the request is not JSON: {type(error).__name__}"
        except Exception as error:
            return HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, type(error).__name__

    def _find_foreign_header(self) -> str:
        """Return the header that shows a request of another page or to another host name; empty if there is none."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.hosts:
            return f"Host: got {', '.join(hosts) or 'none'}, expected {self.server.hosts[0]}"
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            return f"Origin: got {origins[0]}, expected none, or http://{hosts[0]}"
        return ""

    def _is_key(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self.server.key.encode())

    def _send(self, status: HTTPStatus, kind: str, content: str, policy: str = "default-src 'none'") -> None:
        body = content.encode(errors="replace") + (b"\n" if kind == TEXT else b"")
        if status is not HTTPStatus.OK:
            self.close_connection = True  # the body of a refused request was not read
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Security-Policy": policy, "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing on the user's terminal."""


def _parse_metadata(text: str) -> dict[str, object]:
    """Return the item's metadata from JSON text; none if it is empty. Raises InvalidData if it is not an object."""
    try:
        metadata = parse_json(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"the metadata: not JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise InvalidData(f"the metadata: got {type(metadata).__name__}, expected a JSON object")
    return metadata
