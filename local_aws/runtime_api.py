"""The documented Lambda Runtime API (version 2018-06-01) for one execution environment, on a free loopback port."""

import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BASE = "/2018-06-01/runtime/"
RESPONSE_LIMIT = 6_291_556  # bytes of a response, as on AWS


@dataclass(frozen=True)
class Invocation:
    """One call of the function. `deadline_ms` is Unix time in milliseconds."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str = ""
    deadline_ms: int = 0


@dataclass(frozen=True)
class Event:
    """What the runtime did: `ready` (asked for work), `response`, `error`, `too-large`, `init-error` or `exit`."""

    kind: str
    body: bytes = b""
    request_id: str = ""


NOT_FOUND = b'{"errorMessage": "no such resource", "errorType": "NotFound"}'
TOO_LARGE = b'{"errorMessage": "Exceeded maximum allowed payload size", "errorType": "RequestEntityTooLarge"}'


class RuntimeApi:
    """A server; what the runtime does is read by `wait`, what it shall do is given by `send`."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = _Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="runtime-api", daemon=True).start()

    def send(self, invocation: Invocation) -> None:
        """Answer the runtime's current or next request for work."""
        self.invocations.put(invocation)

    def wait(self, seconds: float) -> Event | None:
        """The next event; None when none comes in time."""
        try:
            return self.events.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening; a runtime that waits for work gets no answer."""
        self.invocations.put(None)
        threading.Thread(target=self._close, daemon=True).start()  # the server looks up only now and then

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed runtime breaks its connections: no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, Nagle's algorithm holds the second back for 40 ms
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path != BASE + "invocation/next":
            self._answer(404, NOT_FOUND)
            return
        self.server.api.events.put(Event("ready"))
        invocation = self.server.api.invocations.get()
        if invocation is None:
            self.server.api.invocations.put(None)  # a broken runtime asks in several threads: end them all
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        }
        if invocation.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        self._answer(200, invocation.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        request_id, _, kind = self.path.removeprefix(BASE + "invocation/").partition("/")
        if self.path == BASE + "init/error":
            self.server.api.events.put(Event("init-error", body))
        elif kind == "response" and len(body) > RESPONSE_LIMIT:
            self.server.api.events.put(Event("too-large", str(len(body)).encode(), request_id))
            self._answer(413, TOO_LARGE)
            return
        elif kind in ("response", "error"):
            self.server.api.events.put(Event(kind, body, request_id))
        else:
            self._answer(404, NOT_FOUND)
            return
        self._answer(202, b'{"status": "OK"}')

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**fixed, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on standard error."""
