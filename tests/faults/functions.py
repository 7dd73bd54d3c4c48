"""More functions of the stage's image, with settings of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.invoke import read_event
from tests.faults.stage import Faulty


@dataclass(frozen=True)
class Another:
    """A function that runs what the alias runs."""

    client: Any
    name: str

    def invoke(self, event: Any) -> Any:
        """Its answer to an event; fails where the function itself failed."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event).encode())
        payload = read_event(answer["Payload"].read().decode())
        assert "FunctionError" not in answer, payload
        return payload


@contextmanager
def another(stage: Faulty, name: str, **variables: str) -> Iterator[Another]:
    """A function of the alias's image and variables, some of them changed; deleted after the block."""
    client, stages = stage.aws.invoker, stage.aws.stage.function
    found = client.get_function(FunctionName=stages.name, Qualifier=stages.alias)
    known = found["Configuration"]
    client.create_function(
        FunctionName=name,
        PackageType="Image",
        Code={"ImageUri": found["Code"]["ImageUri"]},
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
