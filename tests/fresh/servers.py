"""Servers on loopback that behave as a newcomer meets them: an archive without our packages, an unknown certificate."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Made for these tests, valid for 127.0.0.1 until 2126; no authority signed it.
SELF_SIGNED = Path(__file__).with_name("self_signed.pem")


class Absent(http.server.BaseHTTPRequestHandler):
    """Answer every request as an archive answers for a path that it does not have."""

    def do_GET(self) -> None:
        """404."""
        self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the test prints what the machine printed."""


@contextmanager
def serve(*, certificate: Path | None = None) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1, over TLS if a certificate is given; yields the address, without a slash."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Absent) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
