"""A stage's resources: the stacks of `infrastructure/templates/<stage>/`, through CloudFormation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stages import hash_stage

from ..checkout import ROOT
from ..checkout.layout import LocalImage, find_local_image
from ..console.errors import NotFound
from . import change_sets, lambda_function, ledger, resource_import, stack_state, stacks
from .change_sets import ChangeSet
from .clients import Aws, make
from .repository import find_repository_uri, holds
from .stacks import Change, Say

TEMPLATES = ROOT / "infrastructure" / "templates"
ORDER = ("repositories", "tables", "queues", "function")
IMAGE_PARAMETER = "ImageUri"
DIGEST = "stage.sha256"  # as infrastructure/app.py writes it


ByHand = Callable[[Aws, str], list[Change]]
"""Returns the changes that were made by hand to the resources of a stack, by its noun (`queues`)."""


def list_none_by_hand(_: Aws, __: str) -> list[Change]:
    """Return no change."""
    return []


@dataclass(frozen=True)
class Outcome:
    """The result for one stack; `action` is created, updated, unchanged, waiting, deleted, absent or `would …`."""

    stack: str
    action: str
    changes: Sequence[Change] = ()
    note: str = ""

    def __str__(self) -> str:
        changed = "".join(f"\n    {change}" for change in self.changes if self.action != "created")
        return f"{self.stack}: {self.action} {self.note}".rstrip() + changed


@dataclass(frozen=True)
class Template:
    """A synthesized template: its stack's name, its text, and the text parsed."""

    stack: str
    body: str
    document: dict[str, Any] = field(repr=False)

    @property
    def noun(self) -> str:
        """The kind of the stack: repositories, tables, queues or function."""
        return self.stack.rsplit("-", 1)[-1]

    @property
    def wants_image(self) -> bool:
        """Whether the template has a parameter for the image."""
        return IMAGE_PARAMETER in self.document.get("Parameters", {})


def is_outdated(stage: str, folder: Path = TEMPLATES) -> bool:
    """Return whether the stage file has other settings than those that its templates were synthesized from."""
    try:
        return (folder / stage / DIGEST).read_text(encoding="ascii").strip() != hash_stage(stage)
    except FileNotFoundError:  # templates of a checkout before the digest was written
        return True


def read_templates(stage: str, folder: Path = TEMPLATES) -> list[Template]:
    """Return a stage's templates in creation order; NotFound if there are none."""
    parsed = []
    for path in (folder / stage).glob("*.template.json"):
        body = path.read_text(encoding="utf-8")
        parsed.append(Template(path.name.removesuffix(".template.json"), body, json.loads(body)))
    if not parsed:
        raise NotFound(f"stage {stage} has no templates under infrastructure/templates/{stage}/", "make infra")
    return sorted(parsed, key=lambda t: (ORDER.index(t.noun) if t.noun in ORDER else len(ORDER), t.stack))


def deploy(
    aws: Aws,
    *,
    image_uri: str | None = None,
    folder: Path = TEMPLATES,
    by_hand: ByHand = list_none_by_hand,
    say: Say = lambda _: None,
    dry_run: bool = False,
) -> list[Outcome]:
    """Create or update every stack of the stage, in order. Idempotent.

    Resources that were deleted by hand are created again, and the changes `by_hand` are reverted. The function's stack
    keeps the image that the alias serves; `make deploy` is what changes code. A new one takes
    `image_uri`, else the last built image if the registry has it; without either its result is `waiting`.
    """
    outcomes = []
    for template in read_templates(aws.stage.name, folder):
        outcomes.append(_deploy_one(aws, template, image_uri, by_hand, dry_run))
        say(str(outcomes[-1]))
    return outcomes


@dataclass(frozen=True)
class Plan:
    """What a template would change: the parameters of its stack, and the changes, of which some revert drift."""

    template: Template
    values: dict[str, str]
    exists: bool
    drifted: Sequence[Change]
    differences: Sequence[Change]

    @property
    def outcome(self) -> Outcome:
        """The result of a dry run."""
        action = "would update" if self.exists else "would create"
        return Outcome(self.template.stack, action, [*self.drifted, *self.differences])


def plan(aws: Aws, template: Template, image_uri: str | None, by_hand: ByHand, dry_run: bool) -> Plan | Outcome:
    """Return what a template would change, or the result `unchanged` or `waiting`.

    Waits for an operation in progress. A stack whose creation failed is deleted, except in a dry run. The image of the
    function's stack is, in this order: the one that the alias serves, the stack's own, `image_uri`, and the last one
    built, if it was pushed; without any the result is `waiting`. `by_hand` lists changes that were made outside of
    CloudFormation.
    """
    client = aws.client("cloudformation")
    stack = _wait_for_stack(client, template.stack, dry_run)
    values = stacks.read_parameters(stack)
    if template.wants_image:
        uri = find_served_image_uri(aws) or values.get(IMAGE_PARAMETER) or image_uri or find_built_image_uri(aws)
        if uri is None:
            return Outcome(
                template.stack, "waiting", note=f"for an image: {make('build push infra-deploy deploy', aws.stage)}"
            )
        values[IMAGE_PARAMETER] = uri
    known = template.document.get("Parameters", {})
    values = {key: value for key, value in values.items() if key in known}
    old = stacks.read_template(client, template.stack) if stack else {}
    differences = stacks.compare_templates(old, template.document)
    drifted = [*stack_state.find_deleted(aws, template.stack, old), *by_hand(aws, template.noun)] if stack else []
    if stack and not differences and not drifted and old.get("Parameters", {}) == known:
        return Outcome(template.stack, "unchanged")
    return Plan(template, values, stack is not None, drifted, differences)


def _deploy_one(aws: Aws, template: Template, image_uri: str | None, by_hand: ByHand, dry_run: bool) -> Outcome:
    planned = plan(aws, template, image_uri, by_hand, dry_run)
    if isinstance(planned, Outcome):
        return planned
    if dry_run:
        return planned.outcome
    client = aws.client("cloudformation")
    if not planned.drifted:
        # A plain update compares templates only, and would find nothing to do after a change by hand.
        status = stacks.apply(client, template.stack, template.body, planned.values, planned.exists)
        return _complete(planned.outcome, status)
    change_set = prepare_one(aws, planned, f"revert-drift-{time.time_ns()}")
    if change_set is None:
        return Outcome(template.stack, "unchanged", planned.outcome.changes)
    return execute_one(aws, template, change_set, planned.outcome)


def _complete(planned: Outcome, status: str) -> Outcome:
    action = {"would update": "updated", "would create": "created"}[planned.action]
    return replace(planned, action="unchanged" if status == "UNCHANGED" else action)


def prepare_one(aws: Aws, plan: Plan, name: str) -> ChangeSet | None:
    """Create the change set of a plan, drift-aware if something drifted; None if it would change nothing."""
    return change_sets.prepare(
        aws.client("cloudformation"),
        plan.template.stack,
        name,
        plan.template.body,
        plan.values,
        exists=plan.exists,
        reverts_drift=bool(plan.drifted),
    )


def execute_one(aws: Aws, template: Template, change_set: ChangeSet, planned: Outcome) -> Outcome:
    """Execute a change set; the alias keeps its version, or gets the ledger's last one.

    The template creates the alias at $LATEST, and a drift-aware change set writes that again.
    """
    client = aws.client("cloudformation")
    version = find_served_version(aws) if template.wants_image else ""
    try:
        return _complete(planned, change_sets.execute(client, change_set))
    finally:
        alias = lambda_function.read_alias(aws) if version else None
        if alias and alias.version != version:
            lambda_function.move_alias(aws, version, alias)


def find_served_version(aws: Aws) -> str:
    """Return the version that the alias points at, else the ledger's last one; empty if that does not exist.

    The ledger decides where the alias was lost with its stack: its last version counts only if it still has the digest
    that the ledger names.
    """
    alias = lambda_function.read_alias(aws)
    if alias and alias.version != "$LATEST":
        return alias.version
    last = ledger.read_last(aws)
    if last is None or not last.version:
        return ""
    try:
        result = lambda_function.read(aws, last.version)
    except NotFound:
        return ""
    return result.version if result.digest == last.digest else ""


def _wait_for_stack(client: Any, name: str, dry_run: bool) -> dict[str, Any] | None:
    """Wait for an operation in progress and return the stack; None if it does not exist.

    A stack whose creation failed cannot be updated: it is deleted, unless this is a dry run, and reported as absent.
    """
    stack = stacks.describe(client, name)
    if stack is None:
        return None
    if stack["StackStatus"].endswith(stacks.UNFINISHED):
        stacks.wait(client, name)
        return stacks.describe(client, name)
    if stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
        if not dry_run:
            stacks.remove(client, name)
        return None
    return stack


def find_served_image_uri(aws: Aws) -> str | None:
    """Return the URI of the image that the alias serves, else the ledger's last one; None before the first deploy.

    A stack update writes the function's code again, so it has to name this image, not the one it was created with.
    """
    client, function = aws.client("lambda"), aws.stage.function
    try:
        code = client.get_function(FunctionName=function.name, Qualifier=function.alias)["Code"]
        return str(code["ImageUri"]) if "ImageUri" in code else None
    except client.exceptions.ResourceNotFoundException:
        last = ledger.read_last(aws)
    try:
        return f"{find_repository_uri(aws)}@{last.digest}" if last and holds(aws, last.digest) else None
    except NotFound:
        return None


def find_built_image_uri(aws: Aws, image: LocalImage | None = None) -> str | None:
    """Return the URI by digest of the last built image; None if it is not built, or not in the registry."""
    image = image or find_local_image()
    if image is None:
        return None
    try:
        uri = find_repository_uri(aws)
    except NotFound:
        return None
    return f"{uri}@{image.digest}" if holds(aws, image.digest) else None


def preview_deploy(aws: Aws, *, folder: Path = TEMPLATES, by_hand: ByHand = list_none_by_hand) -> list[Outcome]:
    """Return what `deploy` would change, stack by stack."""
    return deploy(aws, folder=folder, by_hand=by_hand, dry_run=True)


def delete(aws: Aws, *, folder: Path = TEMPLATES, say: Say = lambda _: None, dry_run: bool = False) -> list[Outcome]:
    """Delete every stack of the stage in reverse creation order. Idempotent.

    `say` gets each stack's outcome as soon as it is known. The first failure is raised, and leaves the remaining
    stacks.
    """
    outcomes = []
    client = aws.client("cloudformation")
    for template in reversed(read_templates(aws.stage.name, folder)):
        if stacks.describe(client, template.stack) is None:
            outcome = Outcome(template.stack, "absent")
        elif dry_run:
            outcome = Outcome(template.stack, "would delete")
        else:
            stacks.remove(client, template.stack)
            outcome = Outcome(template.stack, "deleted")
        outcomes.append(outcome)
        say(str(outcome))
    return outcomes


def plan_adoptions(aws: Aws, *, folder: Path = TEMPLATES) -> list[resource_import.Adoption]:
    """Return the stage's resources that exist outside of its stacks and can be adopted, stack by stack."""
    client, adoptable = aws.client("cloudformation"), []
    for template in read_templates(aws.stage.name, folder):
        if stacks.describe(client, template.stack) is None:
            adoption = resource_import.plan_adoption(
                template.stack,
                template.document,
                lambda kind, name: resource_import.find_identifier(aws, kind, name),
                _role(aws),
            )
            adoptable += [adoption] if adoption else []
    return adoptable


def _role(aws: Aws) -> str | None:
    """Return the function's current role; None if there is no function."""
    client = aws.client("lambda")
    try:
        return str(client.get_function_configuration(FunctionName=aws.stage.function.name)["Role"])
    except client.exceptions.ResourceNotFoundException:
        return None
