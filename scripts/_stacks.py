"""CloudFormation: one stack at a time, with its changes and its failures told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ._aws import error_code
from ._errors import OperationFailed

Say = Callable[[str], None]

LIMIT_S = 1800
UNFINISHED = "_IN_PROGRESS"
FAILED_WORDS = ("FAILED", "ROLLBACK")


@dataclass(frozen=True)
class Change:
    """One resource that a template would change: action is Add, Modify or Remove."""

    action: str
    logical_id: str
    type: str
    replacement: bool = False

    def __str__(self) -> str:
        return f"{self.action:<7}{self.type} {self.logical_id}{' (replaced)' if self.replacement else ''}"


def describe(client: Any, stack: str) -> dict[str, Any] | None:
    """Return a stack as CloudFormation describes it, or None when there is none."""
    try:
        found: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if error_code(error) == "ValidationError":  # CloudFormation's word for "does not exist"
            return None
        raise
    return None if found["StackStatus"] in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS") else found


def parameters(stack: dict[str, Any] | None) -> dict[str, str]:
    """Return the parameter values that a stack has now."""
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in (stack or {}).get("Parameters", [])}


def template(client: Any, stack: str) -> dict[str, Any]:
    """Return the template that a stack was made from."""
    import json

    body = client.get_template(StackName=stack)["TemplateBody"]
    parsed: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    return parsed


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between the resources of two templates."""
    before, after = old.get("Resources", {}), new.get("Resources", {})
    found = [Change("Add", name, after[name]["Type"]) for name in after if name not in before]
    found += [Change("Remove", name, before[name]["Type"]) for name in before if name not in after]
    found += [
        Change("Modify", name, after[name]["Type"], before[name]["Type"] != after[name]["Type"])
        for name in after
        if name in before and before[name] != after[name]
    ]
    return found


def apply(client: Any, stack: str, body: str, values: Mapping[str, str], exists: bool) -> str:
    """Create or update a stack and wait; return its status. A failure raises with the reason of each resource."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    request = {
        "StackName": stack,
        "TemplateBody": body,
        "Parameters": given,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    seen = _event_ids(client, stack) if exists else frozenset()
    try:
        (client.update_stack if exists else client.create_stack)(**request)
    except client.exceptions.ClientError as error:
        if "No updates are to be performed" in str(error):
            return "UNCHANGED"
        raise
    return wait(client, stack, seen)


def remove(client: Any, stack: str) -> None:
    """Delete a stack and wait until it is gone."""
    found = describe(client, stack)
    if found is None:
        return
    client.delete_stack(StackName=stack)
    wait(client, found["StackId"], _event_ids(client, found["StackId"]), goal="DELETE_COMPLETE")


def wait(client: Any, stack: str, seen: frozenset[str] = frozenset(), goal: str = "") -> str:
    """Wait until a stack is at rest and return its status; raise with the failed resources' reasons."""
    pause, end = 0.05, time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = describe(client, stack)
        status = found["StackStatus"] if found else "DELETE_COMPLETE"
        if not status.endswith(UNFINISHED):
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 5)
    else:
        raise OperationFailed(f"stack {stack} is still {status} after {LIMIT_S // 60} minutes", "look at its events")
    broken = any(word in status for word in FAILED_WORDS) or (goal and status != goal)
    if broken or (found and could_not_make(client, stack, seen)):
        reasons = "".join(f"\n  - {reason}" for reason in failures(client, stack, seen))
        raise OperationFailed(
            f"stack {stack} ended as {status if broken else 'rolled back'}:{reasons or ' no reason given'}",
            "correct the first reason, then run it again",
        )
    return str(status)


def could_not_make(client: Any, stack: str, seen: frozenset[str]) -> bool:
    """Whether a resource failed since the events `seen`: LocalStack calls the stack complete all the same."""
    fresh = [event for event in _events(client, stack) if seen and event["EventId"] not in seen]
    return any(event["ResourceStatus"] in ("CREATE_FAILED", "UPDATE_FAILED") for event in fresh)


def failures(client: Any, stack: str, seen: frozenset[str]) -> list[str]:
    """Return the reasons of the resources that failed since the events `seen`, the first failure first."""
    events = [e for e in _events(client, stack) if e["EventId"] not in seen]
    return [
        f"{e['LogicalResourceId']} ({e['ResourceType']}): {e.get('ResourceStatusReason', 'no reason given')}"
        for e in reversed(events)
        if e["ResourceStatus"].endswith("_FAILED")
    ]


def _events(client: Any, stack: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]


def _event_ids(client: Any, stack: str) -> frozenset[str]:
    return frozenset(event["EventId"] for event in _events(client, stack))
