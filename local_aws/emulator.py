"""Serve one function at the path that Lambda and AWS's Runtime Interface Emulator use for invocations.

`POST /2015-03-31/functions/NAME/invocations` with the event as its body, for any NAME. curl works, and so does any AWS
SDK whose endpoint is this server.
"""

import base64
import json
import re
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType

from local_aws import browsers
from local_aws.event_batches import EVENT_LIMIT
from local_aws.json_handler import JsonHandler
from local_aws.run_image import Function, create_request_id

PATH = re.compile(r"/2015-03-31/functions/[^/?]+/invocations(\?.*)?")
HOST = "127.0.0.1"
INVOCATIONS = "/2015-03-31/functions/function/invocations"


class Emulator:
    """Server of one function, open inside a `with` block. Invocations queue, as in one execution environment."""

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
        """Return the address for events."""
        return f"http://{HOST}:{self.port}{INVOCATIONS}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, function: Function, port: int) -> None:
        self.function, self.turn = function, threading.Lock()
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore callers that hang up."""


class _Handler(JsonHandler):
    server: _Server

    def do_POST(self) -> None:
        if problem := browsers.find_refusal(self.command, self.path, self.headers.items()):
            self.close_connection = True  # the rest of the request stays unread
            self._refuse(403, "AccessDeniedException", problem)
            return
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # the rest of the request stays unread
            self._refuse(411, "InvalidRequestContentException", "the event's length is missing: send Content-Length")
            return
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdigit() else 0
        if size > EVENT_LIMIT:
            self.close_connection = True  # the rest of the request stays unread
            self._refuse(413, "RequestTooLargeException", f"event of {size} bytes, expected at most {EVENT_LIMIT}")
            return
        event = self.rfile.read(size) or b"{}"
        if not PATH.fullmatch(self.path):
            self._refuse(404, "ResourceNotFoundException", f"no function at {self.path}; POST to {INVOCATIONS}")
        elif (problem := find_json_problem(event)) is not None:
            self._refuse(400, "InvalidRequestContentException", f"the event is not JSON: {problem}")
        elif self.headers.get("X-Amz-Invocation-Type", "RequestResponse") != "RequestResponse":
            self._refuse(400, "InvalidParameterValueException", "only RequestResponse invocations are emulated")
        else:
            self._invoke(event)

    def do_GET(self) -> None:
        self._refuse(405, "MethodNotAllowed", "POST an event")

    def _invoke(self, event: bytes) -> None:
        request_id = create_request_id()
        with self.server.turn:
            reply = self.server.function.invoke(event, request_id)
        headers = {"X-Amzn-RequestId": request_id, "X-Amz-Executed-Version": "$LATEST"}
        if reply.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(reply.log.encode()).decode()
        self.answer(200, reply.payload, headers)

    def _refuse(self, status: int, kind: str, text: str) -> None:
        body = json.dumps({"Type": "User", "Message": text}).encode()
        self.answer(status, body, {"X-Amzn-ErrorType": kind})


def find_json_problem(event: bytes) -> str | None:
    """Return why an event is not valid JSON, or None if it is."""
    try:
        json.loads(event)
    except (ValueError, RecursionError) as problem:
        return str(problem)
    return None
