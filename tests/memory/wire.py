"""Real boto3 clients whose requests a model in memory answers, instead of a network."""

import io
import json
import threading
from collections.abc import Callable
from typing import Any, Protocol

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

Fault = Callable[[str, str, dict[str, Any]], None]
"""Called with operation, "before" or "after" it took effect, and the request; may raise."""


class Refused(Exception):
    """What a service answers instead of a result; `more` are members of the error beside its message."""

    def __init__(self, code: str, status: int = 400, **more: Any):
        super().__init__(code)
        self.code, self.status, self.more = code, status, more


class Model(Protocol):
    """A service in memory."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request, which takes effect at once; or raises `Refused`."""
        ...


def no_fault(operation: str, phase: str, request: dict[str, Any]) -> None:
    """The fault of a good day."""


_ONE_AT_A_TIME = threading.RLock()
_MADE: dict[tuple[str, int, int], tuple[Any, dict[str, Callable[..., AWSResponse]]]] = {}
"""Clients by service, attempts and line, with what answers them now: making one takes longer than most tests."""


class Body(io.BytesIO):
    """An answer's body."""

    def stream(self, **_: Any) -> Any:
        """As urllib3's response."""
        yield self.read()


class Wire:
    """Connects clients to models; counts calls and bytes, and lets a test's fault interrupt them."""

    def __init__(self, line: int = 0) -> None:
        """Wires that are used at the same time need a line each."""
        self.line = line
        self.made: list[str] = []
        self.fault: Fault = no_fault

    def client(self, service: str, model: Model, attempts: int = 1) -> Any:
        """A boto3 client of a JSON service; it answers for the wire that asked for it last."""
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        return _connected(service, attempts, self.line, config, self._answering(model))

    def s3(self, objects: dict[str, bytes]) -> Any:
        """A boto3 client of S3; `objects` holds contents by "bucket/key"."""
        config = Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
        )
        return _connected("s3", 1, self.line, config, self._storing(objects))

    def _answering(self, model: Model) -> Callable[..., AWSResponse]:
        def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            operation = request.headers["X-Amz-Target"]
            operation = (operation.decode() if isinstance(operation, bytes) else operation).rpartition(".")[2]
            parameters = json.loads(request.body)
            self.made.append(operation)
            try:
                self.fault(operation, "before", parameters)
                with _ONE_AT_A_TIME:
                    content, status = model.call(operation, parameters), 200
                self.fault(operation, "after", parameters)
            except Refused as refusal:
                content, status = {"__type": refusal.code, "message": refusal.code, **refusal.more}, refusal.status
            return AWSResponse(request.url, status, {}, Body(json.dumps(content).encode()))

        return answer

    def _storing(self, objects: dict[str, bytes]) -> Callable[..., AWSResponse]:
        def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            name = request.url.partition(".amazonaws.com/")[2].partition("?")[0]
            self.made.append("PutObject" if request.method == "PUT" else "GetObject")
            if request.method == "PUT":
                body = request.body
                objects[name] = body if isinstance(body, bytes) else body.read()
                return AWSResponse(request.url, 200, {}, Body())
            if name not in objects:
                error = b"<Error><Code>NoSuchKey</Code></Error>"
                return AWSResponse(request.url, 404, {}, Body(error))
            return AWSResponse(request.url, 200, {"Content-Length": str(len(objects[name]))}, Body(objects[name]))

        return answer


def _connected(service: str, attempts: int, line: int, config: Config, answer: Callable[..., AWSResponse]) -> Any:
    """A client whose requests that function answers from now on."""
    key = (service, attempts, line)
    if key not in _MADE:
        now: dict[str, Callable[..., AWSResponse]] = {}
        client = boto3.session.Session("test", "test", region_name="us-west-2").client(service, config=config)
        client.meta.events.register(f"before-send.{service}", lambda **sent: now["answer"](**sent))
        _MADE[key] = (client, now)
    _MADE[key][1]["answer"] = answer
    return _MADE[key][0]
