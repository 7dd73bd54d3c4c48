"""Change sets of a stage under a name: prepared to be approved, then executed as they were approved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..console.errors import Refused
from . import change_sets
from .change_sets import ChangeSet
from .clients import Aws, make
from .resources import (
    IMAGE_PARAMETER,
    TEMPLATES,
    ByHand,
    Outcome,
    Plan,
    Template,
    execute_one,
    find_served_image_uri,
    list_none_by_hand,
    plan,
    prepare_one,
    read_templates,
)
from .stacks import Say


def prepare(aws: Aws, name: str, *, folder: Path = TEMPLATES, by_hand: ByHand = list_none_by_hand) -> list[Outcome]:
    """Create a change set of this name on each stack that `resources.deploy` would change; return what they change.

    No resource is changed until `execute`. A change set of the same name is replaced. The changes are
    CloudFormation's own, and those made by hand that it does not list.
    """
    return [_prepare_stack(aws, template, name, by_hand) for template in read_templates(aws.stage.name, folder)]


def _prepare_stack(aws: Aws, template: Template, name: str, by_hand: ByHand) -> Outcome:
    planned = plan(aws, template, None, by_hand, dry_run=True)
    if isinstance(planned, Outcome):
        change_sets.delete(aws.client("cloudformation"), template.stack, name)
        return planned
    change_set = prepare_one(aws, planned, name)
    if change_set is None:
        return Outcome(template.stack, "unchanged")
    listed = {change.logical_id for change in change_set.changes}
    others = [change for change in planned.drifted if change.logical_id not in listed]
    return replace(planned.outcome, changes=[*others, *change_set.changes], note=f"by change set {name}")


def execute(
    aws: Aws,
    name: str,
    *,
    folder: Path = TEMPLATES,
    by_hand: ByHand = list_none_by_hand,
    say: Say = lambda _: None,
    dry_run: bool = False,
) -> list[Outcome]:
    """Execute the change sets of this name as they were prepared, in the order of the stacks, and nothing else.

    Refused, before the first one is executed, if a stack was updated since, if it differs from its template and has
    no such change set, or if the alias serves another image than the change set would write.
    """
    client, planned, outcomes = aws.client("cloudformation"), [], []
    for template in read_templates(aws.stage.name, folder):
        change_set = change_sets.read(client, template.stack, name)
        planned.append((template, change_set, _review(aws, template, change_set, name, by_hand)))
    for template, change_set, outcome in planned:
        if change_set and not dry_run:
            outcome = execute_one(aws, template, change_set, outcome)
        outcomes.append(outcome)
        say(str(outcome))
    return outcomes


def _review(aws: Aws, template: Template, change_set: ChangeSet | None, name: str, by_hand: ByHand) -> Outcome:
    """Return what a stack's change set would do; Refused if it is outdated, or if there should be one."""
    if change_set is None:
        planned = plan(aws, template, None, by_hand, dry_run=True)
        if isinstance(planned, Plan):
            raise Refused(
                f"stack {template.stack} differs from its template, and has no change set {name}",
                f"prepare it: {make('infra-diff', aws.stage)} CHANGE_SET={name}",
            )
        return planned
    if not change_set.is_current:
        raise _refusal(aws, change_set, "the stack was updated since")
    served = find_served_image_uri(aws) if template.wants_image else None
    if served and served != change_set.parameters.get(IMAGE_PARAMETER):
        raise _refusal(aws, change_set, f"the alias serves another image since, {served}")
    return Outcome(template.stack, "would create" if change_set.creates else "would update", change_set.changes)


def _refusal(aws: Aws, change_set: ChangeSet, why: str) -> Refused:
    return Refused(
        f"stack {change_set.stack}: change set {change_set.name} is outdated: {why}",
        f"prepare it again, and have it approved: {make('infra-diff', aws.stage)} CHANGE_SET={change_set.name}",
    )


def discard(aws: Aws, name: str, folder: Path = TEMPLATES) -> None:
    """Delete the change sets of this name."""
    for template in read_templates(aws.stage.name, folder):
        change_sets.delete(aws.client("cloudformation"), template.stack, name)
