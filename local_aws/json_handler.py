"""The handler of this package's own HTTP servers: JSON answers, each in one packet."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler


class JsonHandler(BaseHTTPRequestHandler):
    """Handles the requests of a connection that stays open; subclasses answer through `answer`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # Head and body in one packet: Nagle's algorithm would delay a second one by 40 ms.
    disable_nagle_algorithm = True

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer with a JSON body, and `headers` beside its type and length."""
        self.send_response(status)
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the function's own log is what matters."""
