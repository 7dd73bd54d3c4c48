"""CloudFormation change sets: prepare one, read it, execute it, delete it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..console.errors import OperationFailed
from . import stacks
from .backoff import generate_pauses
from .clients import read_error_code
from .stacks import Change

UNCHANGED = ("didn't contain changes", "No updates")
ABSENT = ("ChangeSetNotFound", "ChangeSetNotFoundException", "ValidationError")
"""Codes for a change set, or a stack, that does not exist."""


@dataclass(frozen=True)
class ChangeSet:
    """A change set that CloudFormation has computed; `is_current` is False once its stack was updated."""

    stack: str
    name: str
    changes: Sequence[Change]
    parameters: dict[str, str]
    is_current: bool
    creates: bool


def prepare(
    client: Any,
    stack: str,
    name: str,
    body: str,
    values: Mapping[str, str],
    *,
    exists: bool = True,
    reverts_drift: bool = False,
) -> ChangeSet | None:
    """Create a change set and wait until it is computed; None, without leaving one, if it changes nothing.

    A change set of the same name is replaced. With `reverts_drift` it is drift-aware: resources that were deleted by
    hand are created again, properties that were changed by hand get the template's values. Otherwise it compares
    templates only. OperationFailed, with CloudFormation's reason, if it cannot be computed.
    """
    delete(client, stack, name)
    request: dict[str, Any] = {"DeploymentMode": "REVERT_DRIFT"} if reverts_drift else {}
    client.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="UPDATE" if exists else "CREATE",
        TemplateBody=body,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        **request,
    )
    response = _await_computed(client, stack, name)
    if response["Status"] == "CREATE_COMPLETE":
        return read(client, stack, name)
    delete(client, stack, name)
    reason = str(response.get("StatusReason", "no reason given"))
    if any(text in reason for text in UNCHANGED):
        return None
    raise OperationFailed(
        f"stack {stack}: change set {name} ended as {response['Status']}: {reason}",
        "fix the reason, then run it again",
    )


def _await_computed(client: Any, stack: str, name: str) -> Any:
    """Return the change set's description once it is computed or has failed, or after `stacks.LIMIT_S` as it is."""
    end, waits = time.monotonic() + stacks.LIMIT_S, generate_pauses(0.05, 5.0, factor=1.5)
    while True:
        response = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if not response["Status"].endswith((stacks.UNFINISHED, "_PENDING")) or time.monotonic() > end:
            return response
        time.sleep(next(waits))


def read(client: Any, stack: str, name: str) -> ChangeSet | None:
    """Return a change set with all its changes; None if it does not exist, or was executed.

    All pages are read, so that `changes` is complete. `is_current` is False once the stack was updated by other means,
    and while the change set is still being computed.
    """
    changes: list[Change] = []
    page: dict[str, str] = {}
    while True:
        try:
            response = client.describe_change_set(StackName=stack, ChangeSetName=name, **page)
        except client.exceptions.ClientError as error:
            if read_error_code(error) in ABSENT:
                return None
            raise
        changes += [_change(entry["ResourceChange"]) for entry in response["Changes"] if "ResourceChange" in entry]
        if not response.get("NextToken"):
            break
        page = {"NextToken": response["NextToken"]}
    if response["ExecutionStatus"] == "EXECUTE_COMPLETE":
        return None
    current = client.describe_stacks(StackName=response["StackId"])["Stacks"][0]
    return ChangeSet(
        stack=stack,
        name=name,
        changes=changes,
        parameters=stacks.read_parameters(response),
        is_current=response["ExecutionStatus"] == "AVAILABLE",
        creates=current["StackStatus"] == "REVIEW_IN_PROGRESS",
    )


def execute(client: Any, change_set: ChangeSet) -> str:
    """Execute a change set, wait, and return the stack's status; OperationFailed as of `stacks.wait`."""
    earlier = stacks.list_event_ids(client, change_set.stack)
    client.execute_change_set(StackName=change_set.stack, ChangeSetName=change_set.name)
    return stacks.wait(client, change_set.stack, earlier)


def delete(client: Any, stack: str, name: str) -> None:
    """Delete a change set; does nothing if it does not exist. The empty stack of a creation is left for the next."""
    try:
        client.delete_change_set(StackName=stack, ChangeSetName=name)
    except client.exceptions.ClientError as error:
        if read_error_code(error) not in ABSENT:
            raise


def _change(entry: Mapping[str, Any]) -> Change:
    replaced = entry.get("Replacement") in ("True", "Conditional")
    return Change(entry["Action"], entry["LogicalResourceId"], entry["ResourceType"], replaced)
