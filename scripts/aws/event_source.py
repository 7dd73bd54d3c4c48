"""The event source mapping that feeds the function from the request queue."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..console.errors import OperationFailed
from .clients import Aws

LIMIT_S = 240.0  # AWS may take a minute to switch a mapping; the demo also waits for its jobs with it


def switch_event_source(aws: Aws, enabled: bool) -> None:
    """Enable or disable the event source mapping, and wait until it is.

    Idempotent. OperationFailed if the alias has no mapping, or if the change takes longer than LIMIT_S seconds. Only
    the first mapping is switched: a stage has one.
    """
    client, function = aws.client("lambda"), aws.stage.function
    mappings = client.list_event_source_mappings(FunctionName=f"{function.name}:{function.alias}")[
        "EventSourceMappings"
    ]
    if not mappings:
        raise OperationFailed(f"{function.name} has no event source mapping", "make infra-deploy")
    identity, wanted = mappings[0]["UUID"], "Enabled" if enabled else "Disabled"
    if mappings[0]["State"] != wanted:
        client.update_event_source_mapping(UUID=identity, Enabled=enabled)
        wait("the event source mapping", lambda: client.get_event_source_mapping(UUID=identity)["State"] == wanted)


def wait(what: str, done: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Poll `done` until it returns True; OperationFailed after `limit_s` seconds.

    Polls ten times a second; `what` names the awaited thing in the error. Exceptions of `done` are not caught.
    """
    end = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > end:
            raise OperationFailed(
                f"timeout: {what}: not finished after {limit_s:.0f} s", "make logs FOLLOW=0, make status"
            )
        time.sleep(0.1)
