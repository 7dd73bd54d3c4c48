"""Real boto3 clients whose requests are answered by a model in memory instead of a network."""

import io
import json
import threading
from collections.abc import Callable
from typing import Any, Protocol

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

Fault = Callable[[str, str, dict[str, Any]], None]
"""Called with the operation, "before" or "after" its effect, and the request; may raise."""


class Refused(Exception):
    """An error response of a service; `more` are its members beside the message."""

    def __init__(self, code: str, status: int = 400, **more: Any):
        super().__init__(code)
        self.code, self.status, self.more = code, status, more


class Model(Protocol):
    """A service in memory."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Perform one request and return its answer; raises `Refused`."""
        ...


Watch = Callable[[str, dict[str, Any]], None]
"""Called with the operation and the request once it took effect, before any other request takes effect."""


def no_watch(operation: str, request: dict[str, Any]) -> None:
    """Note nothing."""


def no_fault(operation: str, phase: str, request: dict[str, Any]) -> None:
    """Cause no fault."""


_ONE_AT_A_TIME = threading.RLock()
_MADE: dict[tuple[str, int, int], tuple[Any, dict[str, Callable[..., AWSResponse]]]] = {}
"""Clients by service, attempts and line, with their present models: creating a client takes longer than most tests."""


class Body(io.BytesIO):
    """The body of a response."""

    def stream(self, **_: Any) -> Any:
        """Yield the content, as urllib3 does."""
        yield self.read()


class Wire:
    """Connects clients to models, records their calls, and injects a test's fault."""

    def __init__(self, line: int = 0) -> None:
        """Wires that are used at the same time need different lines."""
        self.line = line
        self.made: list[str] = []
        self.fault: Fault = no_fault
        self.watch: Watch = no_watch

    def client(self, service: str, model: Model, attempts: int = 1) -> Any:
        """Return a boto3 client of a JSON service, which belongs to the wire that requested it last."""
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        return _connect(service, attempts, self.line, config, self._answering(model))

    def s3(self, objects: dict[str, bytes]) -> Any:
        """Return a boto3 client of S3; `objects` has contents by "bucket/key"."""
        config = Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
        )
        return _connect("s3", 1, self.line, config, self._storing(objects))

    def _answering(self, model: Model) -> Callable[..., AWSResponse]:
        def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            operation = request.headers["X-Amz-Target"]
            operation = (operation.decode() if isinstance(operation, bytes) else operation).rpartition(".")[2]
            parameters = json.loads(body(request))
            self.made.append(operation)
            try:
                self.fault(operation, "before", parameters)
                with _ONE_AT_A_TIME:
                    content, status = model.call(operation, parameters), 200
                    self.watch(operation, parameters)
                self.fault(operation, "after", parameters)
            except Refused as refusal:
                content, status = {"__type": refusal.code, "message": refusal.code, **refusal.more}, refusal.status
            return AWSResponse(request.url, status, HTTPHeaders(), Body(json.dumps(content).encode()))

        return answer

    def _storing(self, objects: dict[str, bytes]) -> Callable[..., AWSResponse]:
        def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            name = request.url.partition(".amazonaws.com/")[2].partition("?")[0]
            self.made.append("PutObject" if request.method == "PUT" else "GetObject")
            if request.method == "PUT":
                objects[name] = body(request)
                return AWSResponse(request.url, 200, HTTPHeaders(), Body())
            if name not in objects:
                error = b"<Error><Code>NoSuchKey</Code></Error>"
                return AWSResponse(request.url, 404, HTTPHeaders(), Body(error))
            headers = HTTPHeaders.from_dict({"Content-Length": str(len(objects[name]))})
            return AWSResponse(request.url, 200, headers, Body(objects[name]))

        return answer


def body(request: AWSPreparedRequest) -> bytes:
    """Return a request's body, which botocore keeps as bytes, text or an open file."""
    content: Any = request.body
    if isinstance(content, str):
        return content.encode()
    return bytes(content if isinstance(content, bytes | bytearray) else content.read())


def _connect(service: str, attempts: int, line: int, config: Config, answer: Callable[..., AWSResponse]) -> Any:
    """Return a client whose requests this function answers from now on."""
    key = (service, attempts, line)
    if key not in _MADE:
        now: dict[str, Callable[..., AWSResponse]] = {}
        session: Any = boto3.session.Session("test", "test", region_name="us-west-2")
        client = session.client(service, config=config)
        client.meta.events.register(f"before-send.{service}", lambda **sent: now["answer"](**sent))
        _MADE[key] = (client, now)
    _MADE[key][1]["answer"] = answer
    return _MADE[key][0]
