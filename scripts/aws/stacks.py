"""CloudFormation stacks: create, update or delete one, and list its changes and failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..console.errors import OperationFailed
from .backoff import generate_pauses
from .clients import read_error_code, was_repeated

Say = Callable[[str], None]

LIMIT_S = 1800  # CloudFormation waits for tables and their indexes
UNFINISHED = "_IN_PROGRESS"
FAILED_WORDS = ("FAILED", "ROLLBACK")


@dataclass(frozen=True)
class Change:
    """A resource that a template would change; `action` is Add, Modify or Remove."""

    action: str
    logical_id: str
    type: str
    replacement: bool = False

    def __str__(self) -> str:
        return f"{self.action:<7}{self.type} {self.logical_id}{' (replaced)' if self.replacement else ''}"


def describe(client: Any, stack: str) -> dict[str, Any] | None:
    """Return a stack as CloudFormation describes it, or None if it does not exist.

    A stack that was deleted, or that only a change set has begun, does not exist.
    """
    try:
        description: dict[str, Any] = client.describe_stacks(StackName=stack)["Stacks"][0]
    except client.exceptions.ClientError as error:
        if read_error_code(error) == "ValidationError":  # CloudFormation's code for a stack that does not exist
            return None
        raise
    return None if description["StackStatus"] in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS") else description


def read_parameters(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the parameter values of a stack, or of a change set."""
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in (stack or {}).get("Parameters", [])}


def read_template(client: Any, stack: str) -> dict[str, Any]:
    """Return a stack's template."""
    import json

    body = client.get_template(StackName=stack)["TemplateBody"]
    parsed: dict[str, Any] = body if isinstance(body, dict) else json.loads(body)
    return parsed


def compare_templates(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the resources that differ between two templates.

    Compares documents, not deployed resources: a property in another notation counts as modified, drift does not.
    Additions come first, then removals and modifications. A resource of another type is replaced.
    """
    before, after = old.get("Resources", {}), new.get("Resources", {})
    differences = [Change("Add", name, after[name]["Type"]) for name in after if name not in before]
    differences += [Change("Remove", name, before[name]["Type"]) for name in before if name not in after]
    differences += [
        Change("Modify", name, after[name]["Type"], before[name]["Type"] != after[name]["Type"])
        for name in after
        if name in before and before[name] != after[name]
    ]
    return differences


def apply(client: Any, stack: str, body: str, values: Mapping[str, str], exists: bool) -> str:
    """Create or update a stack, wait, and return its status; OperationFailed with each failed resource's reason.

    Returns "UNCHANGED" if the template and its parameters change nothing. Only events since this call are read for the
    reasons, so that an earlier failure is not reported again.
    """
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]
    request = {
        "StackName": stack,
        "TemplateBody": body,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    earlier_events = list_event_ids(client, stack) if exists else frozenset()
    try:
        (client.update_stack if exists else client.create_stack)(**request)
    except client.exceptions.ClientError as error:
        if "No updates are to be performed" in str(error):
            return "UNCHANGED"
        # The client repeats a request whose answer it did not get: the first one has created the stack.
        if exists or read_error_code(error) != "AlreadyExistsException" or not was_repeated(error):
            raise
    return wait(client, stack, earlier_events)


def list_physical_ids(client: Any, stack: str) -> dict[str, str]:
    """Return the physical id of each resource of a stack by its logical id."""
    response = client.describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in response}


def remove(client: Any, stack: str) -> None:
    """Delete a stack and wait; does nothing if it does not exist."""
    current = describe(client, stack)
    if current is None:
        return
    client.delete_stack(StackName=stack)
    wait(client, current["StackId"], list_event_ids(client, current["StackId"]), goal="DELETE_COMPLETE")


def wait(client: Any, stack: str, earlier: frozenset[str] = frozenset(), goal: str = "") -> str:
    """Wait for the operation in progress and return the stack's status.

    OperationFailed, with the reasons of the resources that failed since the events `earlier`, if it ends in another
    status than `goal`, or after 30 minutes.
    """
    end = time.monotonic() + LIMIT_S
    waits = generate_pauses(0.05, 5.0, factor=1.5)
    while time.monotonic() < end:
        current = describe(client, stack)
        status = current["StackStatus"] if current else "DELETE_COMPLETE"
        if not status.endswith(UNFINISHED):
            break
        time.sleep(next(waits))
    else:
        raise OperationFailed(
            f"stack {stack} is still {status} after {LIMIT_S // 60} minutes",
            "check its events in the CloudFormation console",
        )
    broken = any(word in status for word in FAILED_WORDS) or (goal and status != goal)
    if broken or (current and has_failures(client, stack, earlier)):
        reasons = "".join(f"\n  - {reason}" for reason in list_failures(client, stack, earlier))
        raise OperationFailed(
            f"stack {stack} ended as {status if broken else 'rolled back'}:{reasons or ' no reason given'}",
            "fix the first reason, then run it again",
        )
    return str(status)


def has_failures(client: Any, stack: str, earlier: frozenset[str]) -> bool:
    """Return whether a resource failed since the events `earlier`; LocalStack then still reports the stack complete."""
    fresh = [event for event in _events(client, stack) if earlier and event["EventId"] not in earlier]
    return any(event["ResourceStatus"] in ("CREATE_FAILED", "UPDATE_FAILED") for event in fresh)


def list_failures(client: Any, stack: str, earlier: frozenset[str]) -> list[str]:
    """Return the reasons of the resources that failed since the events `earlier`, in order."""
    events = [e for e in _events(client, stack) if e["EventId"] not in earlier]
    return [
        f"{e['LogicalResourceId']} ({e['ResourceType']}): {e.get('ResourceStatusReason', 'no reason given')}"
        for e in reversed(events)
        if e["ResourceStatus"].endswith("_FAILED")
    ]


def _events(client: Any, stack: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]


def list_event_ids(client: Any, stack: str) -> frozenset[str]:
    """Return the ids of a stack's events until now."""
    return frozenset(event["EventId"] for event in _events(client, stack))
