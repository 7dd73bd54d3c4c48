"""Lambda Runtime API (version 2018-06-01) of one execution environment, on a loopback port."""

import json
import queue
import socket
import threading
from dataclasses import dataclass
from http.server import ThreadingHTTPServer

from local_aws import browsers
from local_aws.json_handler import JsonHandler
from local_aws.network import Service, Stop

HOST, INSIDE_PORT = "127.0.0.1", 9001  # the port is Lambda's own
BASE = "/2018-06-01/runtime/"
RESPONSE_LIMIT = 6_291_556  # maximum size of a response in bytes, as on AWS


@dataclass(frozen=True)
class Invocation:
    """One invocation of the function. `deadline_ms` is Unix time in milliseconds."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str = ""
    deadline_ms: int = 0


@dataclass(frozen=True)
class Event:
    """What the runtime did: `ready` (idle), `response`, `error`, `too-large`, `init-error` or `exit`."""

    kind: str
    body: bytes = b""
    request_id: str = ""


NOT_FOUND = b'{"errorMessage": "no such resource", "errorType": "NotFound"}'
TOO_LARGE = b'{"errorMessage": "Exceeded maximum allowed payload size", "errorType": "RequestEntityTooLarge"}'


class RuntimeApi:
    """A server that passes invocations to the runtime (`send`) and reports what the runtime does (`wait`).

    It listens on a free port of this machine; with `inside`, where a container's own network has its `service`.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = _Server(self, inside)
        self.address = f"{HOST}:{INSIDE_PORT if inside else self._server.server_port}"
        self._serving = False
        if not inside:
            self._start()

    @property
    def service(self) -> Service:
        """Return how a container's own network reaches this server."""
        return Service(HOST, INSIDE_PORT, self._adopt)

    def send(self, invocation: Invocation) -> None:
        """Answer the runtime's current or next request for an invocation."""
        self.invocations.put(invocation)

    def wait(self, seconds: float) -> Event | None:
        """Return the next event, or None if there is none within `seconds`."""
        try:
            return self.events.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening. A runtime that waits for an invocation gets no response."""
        self.invocations.put(None)
        threading.Thread(target=self._close, daemon=True).start()  # the server polls for shutdown only this often

    def _close(self) -> None:
        if self._serving:
            self._server.shutdown()
        self._server.server_close()

    def _adopt(self, listener: socket.socket) -> Stop:
        self._server.socket.close()
        self._server.socket = listener
        self._start()
        return lambda: None  # `close` does it

    def _start(self) -> None:
        self._serving = True
        threading.Thread(target=self._server.serve_forever, args=(0.2,), name="runtime-api", daemon=True).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi, inside: bool) -> None:
        self.api = api
        super().__init__((HOST, 0), _Handler, bind_and_activate=not inside)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore broken connections: a killed runtime leaves them."""


class _Handler(JsonHandler):
    server: _Server

    def do_GET(self) -> None:
        if self._refuse_page():
            return
        if self.path != BASE + "invocation/next":
            self.answer(404, NOT_FOUND)
            return
        self.server.api.events.put(Event("ready"))
        invocation = self.server.api.invocations.get()
        if invocation is None:
            self.server.api.invocations.put(None)  # A broken runtime may poll from several threads: stop all of them.
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        }
        if invocation.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = invocation.trace_id
        self.answer(200, invocation.payload, headers)

    def do_POST(self) -> None:
        if self._refuse_page():
            return
        body = self._body()
        request_id, _, kind = self.path.removeprefix(BASE + "invocation/").partition("/")
        if self.path == BASE + "init/error":
            self.server.api.events.put(Event("init-error", body))
        elif kind == "response" and len(body) > RESPONSE_LIMIT:
            self.server.api.events.put(Event("too-large", str(len(body)).encode(), request_id))
            self.answer(413, TOO_LARGE)
            return
        elif kind in ("response", "error"):
            self.server.api.events.put(Event(kind, body, request_id))
        else:
            self.answer(404, NOT_FOUND)
            return
        self.answer(202, b'{"status": "OK"}')

    def _refuse_page(self) -> bool:
        """Refuse what a web page sends, which may find this port."""
        problem = browsers.find_refusal(self.command, self.path, self.headers.items())
        if problem:
            self.close_connection = True
            self.answer(403, json.dumps({"errorMessage": problem, "errorType": "AccessDenied"}).encode())
        return problem is not None

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
