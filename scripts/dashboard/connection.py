"""Read-only AWS clients: every call is checked against an allowlist before it is sent, and counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aws.clients import Aws, create_clients
from ..aws.stage import Stage
from ..console.errors import Refused

ALLOWED = {
    "cloudwatch": {"GetMetricData"},
    "dynamodb": {"BatchGetItem", "DescribeTable", "Query", "Scan"},
    "lambda": {"GetAlias", "GetFunctionConfiguration", "ListEventSourceMappings", "ListVersionsByFunction"},
    "logs": {"FilterLogEvents"},
    "sqs": {"GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"},
}
PEEK = "/_aws/sqs/messages"
"""The local AWS's endpoint that lists a queue's messages without receiving them."""


@dataclass(frozen=True)
class ReadOnly(Aws):
    """Aws with short timeouts and an allowlist of read operations."""

    calls: Counter[str] = field(default_factory=Counter, compare=False, repr=False)
    _lock: Any = field(default_factory=threading.Lock, compare=False, repr=False)

    def client(self, service: str, *, read_timeout_s: float = 6, attempts: int = 2) -> Any:
        """Return a client that raises Refused for every operation that is not on the allowlist. Thread-safe."""
        with self._lock:  # botocore's clients are thread-safe, creating them is not
            client = super().client(service, read_timeout_s=read_timeout_s, attempts=attempts)
            client.meta.events.register("before-parameter-build", self._check, unique_id="read-only")
            return client

    def _check(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service, operation = model.service_model.service_name, model.name
        if operation not in ALLOWED.get(service, ()) or (operation == "ReceiveMessage" and not self._leaves_it(params)):
            raise Refused(f"the dashboard is read-only: got {service} {operation}")
        with self._lock:
            self.calls[f"{service}:{operation}"] += 1

    def _leaves_it(self, params: Mapping[str, Any]) -> bool:
        """Return whether a receive neither hides messages nor counts towards a redrive."""
        if self.endpoint and self.endpoint.endswith(PEEK):
            return True
        names = self.stage.queues
        dead = (names.request_dead_letters, names.response_dead_letters)
        return params.get("VisibilityTimeout") == 0 and str(params.get("QueueUrl")).rpartition("/")[2] in dead

    def peeking(self) -> ReadOnly | None:
        """Return the local AWS's endpoint for peeking into queues; None on AWS."""
        if not self.stage.is_local or not self.endpoint:
            return None
        return ReadOnly(self.stage, f"{self.endpoint}{PEEK}", calls=self.calls)


class Connection:
    """Looks up the stage's AWS at each reading: a restarted local AWS has another address."""

    def __init__(self, stage: Stage, endpoint_url: str | None = None) -> None:
        self.stage, self._endpoint_url = stage, endpoint_url
        self._lock = threading.Lock()
        self._found: ReadOnly | None = None
        self.calls: Counter[str] = Counter()

    def __call__(self) -> ReadOnly:
        """Return the clients; NotRunning if no local AWS runs."""
        endpoint = create_clients(self.stage, self._endpoint_url).endpoint
        with self._lock:
            if self._found is None or self._found.endpoint != endpoint:
                self._found = ReadOnly(self.stage, endpoint, calls=self.calls)
            return self._found
