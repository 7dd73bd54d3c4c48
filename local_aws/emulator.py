"""One function behind the path at which AWS's own emulator, and Lambda itself, take invocations.

`POST /2015-03-31/functions/NAME/invocations` with the event as its body, whatever NAME says; so curl works, and so does
any AWS SDK whose endpoint is this server.
"""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from local_aws.run_image import Function, new_request_id

PATH = re.compile(r"/2015-03-31/functions/[^/?]+/invocations(\?.*)?")
EVENT_LIMIT = 6_291_456  # bytes of an event, as on AWS
HOST = "127.0.0.1"
INVOCATIONS = "/2015-03-31/functions/function/invocations"


class Emulator:
    """A server of one function, from `with` to its end; invocations queue, as one execution environment has them."""

    def __init__(self, function: Function, port: int = 0) -> None:
        self._server = _Server(function, port)
        self.port = self._server.server_port

    def __enter__(self) -> "Emulator":
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="emulator", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where to POST an event."""
        return f"http://{HOST}:{self.port}{INVOCATIONS}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, function: Function, port: int) -> None:
        self.function, self.turn = function, threading.Lock()
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that went away: no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # what follows is not read
            self._refuse(411, "InvalidRequestContentException", "the event's length is missing: send Content-Length")
            return
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        if size > EVENT_LIMIT:
            self.close_connection = True  # what follows is not read
            self._refuse(413, "RequestTooLargeException", f"the event has {size} bytes, {EVENT_LIMIT} are allowed")
            return
        event = self.rfile.read(size) or b"{}"
        if not PATH.fullmatch(self.path):
            self._refuse(404, "ResourceNotFoundException", f"no function at {self.path}; POST to {INVOCATIONS}")
        elif (problem := no_json(event)) is not None:
            self._refuse(400, "InvalidRequestContentException", f"the event is no JSON: {problem}")
        elif self.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            self._refuse(400, "InvalidParameterValueException", "only RequestResponse invocations are emulated")
        else:
            self._invoke(event)

    def do_GET(self) -> None:
        self._refuse(405, "MethodNotAllowed", "POST an event")

    def _invoke(self, event: bytes) -> None:
        request_id = new_request_id()
        with self.server.turn:
            reply = self.server.function.invoke(event, request_id)
        headers = {"X-Amzn-RequestId": request_id, "X-Amz-Executed-Version": "$LATEST"}
        if reply.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(reply.log.encode()).decode()
        self._answer(200, reply.payload, headers)

    def _refuse(self, status: int, kind: str, text: str) -> None:
        body = json.dumps({"Type": "User", "Message": text}).encode()
        self._answer(status, body, {"X-Amzn-ErrorType": kind})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        fixed = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the function's log is what people read."""


def no_json(event: bytes) -> str | None:
    """Why an event is no JSON; None when it is."""
    try:
        json.loads(event)
    except (ValueError, RecursionError) as problem:
        return str(problem)
    return None
