"""Additional functions with the stage's image and other settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.aws.invocation import read_event
from tests.faults.stage import Faulty


@dataclass(frozen=True)
class Another:
    """A function with the image of the alias."""

    client: Any
    name: str

    def invoke(self, event: Any) -> Any:
        """Return its response to an event; fails if the invocation failed."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        payload = read_event(answer["Payload"].read().decode())
        assert "FunctionError" not in answer, payload
        return payload


@contextmanager
def another(stage: Faulty, name: str, **variables: str) -> Iterator[Another]:
    """Create a function with the alias's image and variables, some of them changed; deleted after the block."""
    client, stages = stage.aws.invoker, stage.aws.stage.function
    response = client.get_function(FunctionName=stages.name, Qualifier=stages.alias)
    known = response["Configuration"]
    client.create_function(
        FunctionName=name,
        PackageType="Image",
        Code={"ImageUri": response["Code"]["ImageUri"]},
        Role=known["Role"],
        Timeout=known["Timeout"],
        MemorySize=known["MemorySize"],
        Environment={"Variables": {**known["Environment"]["Variables"], **variables}},
    )
    try:
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        yield Another(client, name)
    finally:
        client.delete_function(FunctionName=name)
