"""The event source mapping that feeds the function from the request queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

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


@dataclass(frozen=True)
class Addition:
    """What people add to the request queue by hand and no stack has: a filter, or another mapping.

    A filter deletes each message that it does not match, and another mapping takes jobs to another function or version.
    """

    mapping: str
    setting: str
    found: str
    is_filter: bool


def find_additions(aws: Aws) -> list[Addition]:
    """Return what was added to the request queue by hand. Reads only."""
    stage, additions = aws.stage, []
    arn = f"arn:aws:sqs:{stage.region}:{stage.account}:{stage.queues.request}"
    own = f":function:{stage.function.name}:{stage.function.alias}"
    for mapping in aws.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
        identity, consumer = mapping["UUID"], mapping["FunctionArn"]
        filters = [entry.get("Pattern", "") for entry in mapping.get("FilterCriteria", {}).get("Filters", [])]
        if not consumer.endswith(own):
            other = f"{consumer.partition(':function:')[2]} ({identity})"
            additions.append(Addition(identity, "another consumer", other, is_filter=False))
        elif filters:
            additions.append(Addition(identity, "filter", " or ".join(filters), is_filter=True))
    return additions


def remove_additions(aws: Aws, additions: Iterable[Addition]) -> None:
    """Remove what was added by hand.

    No stack update does: CloudFormation compares the properties of a template, and an empty filter is not valid there.
    """
    client = aws.client("lambda")
    for addition in additions:
        identity = addition.mapping
        if not addition.is_filter:
            client.delete_event_source_mapping(UUID=identity)
            continue
        client.update_event_source_mapping(UUID=identity, FilterCriteria={})
        wait("the event source mapping", partial(_is_settled, aws, identity))


def _is_settled(aws: Aws, identity: str) -> bool:
    return not aws.client("lambda").get_event_source_mapping(UUID=identity)["State"].endswith("ing")


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
