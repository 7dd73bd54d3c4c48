"""Create, update, compare or delete a stage's resources: `infrastructure/templates/<stage>/` through CloudFormation.

python -m scripts.infra deploy | diff | import | delete
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from . import _imports, _stacks
from ._aws import ROOT, Aws, make
from ._command import Shell, Verbs, verb
from ._counting import counting
from ._errors import NotFound, OperationFailed
from ._image import LocalImage, find_local_image
from ._repository import holds, repository_uri
from ._stacks import Change, Say

TEMPLATES = ROOT / "infrastructure" / "templates"
ORDER = ("repositories", "tables", "queues", "function")
IMAGE_PARAMETER = "ImageUri"


@dataclass(frozen=True)
class Outcome:
    """What became of one stack: action is created, updated, unchanged, waiting, deleted, would … ."""

    stack: str
    action: str
    changes: Sequence[Change] = ()
    note: str = ""


@dataclass(frozen=True)
class Template:
    """A synthesized template: the stack that it makes, its text, and what it reads."""

    stack: str
    body: str
    document: dict[str, Any] = field(repr=False)

    @property
    def wants_image(self) -> bool:
        """Whether the template needs to be told an image."""
        return IMAGE_PARAMETER in self.document.get("Parameters", {})


def templates(stage: str, folder: Path = TEMPLATES) -> list[Template]:
    """Return a stage's templates in the order in which they can be created."""
    found = []
    for path in (folder / stage).glob("*.template.json"):
        body = path.read_text(encoding="utf-8")
        found.append(Template(path.name.removesuffix(".template.json"), body, json.loads(body)))
    if not found:
        raise NotFound(f"stage {stage} has no templates under infrastructure/templates/{stage}/", "make infra")
    return sorted(found, key=lambda t: _rank(t.stack))


def _rank(stack: str) -> tuple[int, str]:
    kind = stack.rsplit("-", 1)[-1]
    return (ORDER.index(kind) if kind in ORDER else len(ORDER), stack)


def deploy(
    aws: Aws,
    *,
    image_uri: str | None = None,
    folder: Path = TEMPLATES,
    say: Say = lambda _: None,
    dry_run: bool = False,
) -> list[Outcome]:
    """Create or update every stack of the stage, in order.

    A stack that needs an image and never had one takes `image_uri`, else the built image if the registry
    holds it, else it waits. Once there, the stack keeps its image: `make deploy` is what changes code.
    """
    outcomes = []
    for template in templates(aws.stage.name, folder):
        outcomes.append(_deploy_one(aws, template, image_uri, dry_run))
        say(_line(outcomes[-1]))
    return outcomes


def _deploy_one(aws: Aws, template: Template, image_uri: str | None, dry_run: bool) -> Outcome:
    client = aws.client("cloudformation")
    stack = _settled(client, template.stack, dry_run)
    values = _stacks.parameters(stack)
    if template.wants_image:
        uri = served_image_uri(aws) or values.get(IMAGE_PARAMETER) or image_uri or built_image_uri(aws)
        if uri is None:
            return Outcome(
                template.stack, "waiting", note=f"for an image: {make('build push infra-deploy deploy', aws.stage)}"
            )
        values[IMAGE_PARAMETER] = uri
    known = template.document.get("Parameters", {})
    values = {key: value for key, value in values.items() if key in known}
    old = _stacks.template(client, template.stack) if stack else {}
    found = _stacks.changes(old, template.document)
    if stack and not found and old.get("Parameters", {}) == known:
        return Outcome(template.stack, "unchanged")
    if dry_run:
        return Outcome(template.stack, "would update" if stack else "would create", found)
    status = _stacks.apply(client, template.stack, template.body, values, stack is not None)
    done = "updated" if stack else "created"
    return Outcome(template.stack, "unchanged" if status == "UNCHANGED" else done, found)


def _settled(client: Any, name: str, dry_run: bool) -> dict[str, Any] | None:
    """Return the stack once it is at rest; None for one whose creation failed, which can never be updated.

    Such a stack is deleted first, so that it can be created anew; a dry run leaves it.
    """
    stack = _stacks.describe(client, name)
    if stack is None:
        return None
    if stack["StackStatus"].endswith(_stacks.UNFINISHED):
        _stacks.wait(client, name)
        return _stacks.describe(client, name)
    if stack["StackStatus"] in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
        if not dry_run:
            _stacks.remove(client, name)
        return None
    return stack


def served_image_uri(aws: Aws) -> str | None:
    """Return the URI of the image that the alias serves now; None before the first deploy.

    An update of the stack writes the code again, so it must name this one, not the image that the stack began with.
    """
    client, function = aws.client("lambda"), aws.stage.function
    try:
        code = client.get_function(FunctionName=function.name, Qualifier=function.alias)["Code"]
    except client.exceptions.ResourceNotFoundException:
        return None
    return str(code["ImageUri"]) if "ImageUri" in code else None


def built_image_uri(aws: Aws, image: LocalImage | None = None) -> str | None:
    """Return the URI by digest of the image that was built last, when the stage's registry holds it."""
    image = image or find_local_image()
    if image is None:
        return None
    try:
        uri = repository_uri(aws)
    except NotFound:
        return None
    return f"{uri}@{image.digest}" if holds(aws, image.digest) else None


def diff(aws: Aws, *, folder: Path = TEMPLATES) -> list[Outcome]:
    """Return what `deploy` would change, stack by stack."""
    return deploy(aws, folder=folder, dry_run=True)


def delete(aws: Aws, *, folder: Path = TEMPLATES, say: Say = lambda _: None, dry_run: bool = False) -> list[Outcome]:
    """Delete every stack of the stage, the last created first."""
    outcomes = []
    client = aws.client("cloudformation")
    for template in reversed(templates(aws.stage.name, folder)):
        if _stacks.describe(client, template.stack) is None:
            outcome = Outcome(template.stack, "absent")
        elif dry_run:
            outcome = Outcome(template.stack, "would delete")
        else:
            _stacks.remove(client, template.stack)
            outcome = Outcome(template.stack, "deleted")
        outcomes.append(outcome)
        say(_line(outcome))
    return outcomes


def _line(outcome: Outcome) -> str:
    changed = "".join(f"\n    {change}" for change in outcome.changes if outcome.action != "created")
    return f"{outcome.stack}: {outcome.action} {outcome.note}".rstrip() + changed


def _render(outcomes: list[Outcome], shell: Shell) -> None:
    for outcome in outcomes:
        shell.console.print(_line(outcome), markup=False)


@click.group(cls=Verbs)
def main() -> None:
    """Create, update, compare or delete a stage's resources through CloudFormation."""


@verb(group=main, name="deploy", acts=True, render=_render)
@click.option("--image-uri", help="The image of a function that is not there yet; the last build by default.")
def deploy_command(shell: Shell, image_uri: str | None) -> list[Outcome]:
    """Create what is missing, update what differs."""
    if not shell.dry_run and shell.stage.is_guarded:
        pending = [o for o in diff(shell.aws) if o.action.startswith("would")]
        if not pending:
            return diff(shell.aws)
        shell.confirm("\n".join(_line(o) for o in pending))
    with counting("stacks", len(list(templates(shell.stage.name))), silent=shell.as_json) as done:
        return deploy(shell.aws, image_uri=image_uri, dry_run=shell.dry_run, say=lambda _: done(1))


@verb(group=main, name="diff", render=_render)
def diff_command(shell: Shell) -> list[Outcome]:
    """Show what deploy would change."""
    return diff(shell.aws)


def adoptions(aws: Aws, *, folder: Path = TEMPLATES) -> list[_imports.Adoption]:
    """Return what of the stage exists outside of its stacks and can be taken over, stack by stack."""
    client, found = aws.client("cloudformation"), []
    for template in templates(aws.stage.name, folder):
        if _stacks.describe(client, template.stack) is None:
            one = _imports.adoption(
                template.stack, template.document, lambda kind, name: _imports.found(aws, kind, name), _role(aws)
            )
            found += [one] if one else []
    return found


def _role(aws: Aws) -> str | None:
    """The role that the function has now."""
    client = aws.client("lambda")
    try:
        return str(client.get_function_configuration(FunctionName=aws.stage.function.name)["Role"])
    except client.exceptions.ResourceNotFoundException:
        return None


def _render_plan(lines: list[str], shell: Shell) -> None:
    for line in lines or ["nothing of this stage exists outside of its stacks"]:
        shell.console.print(line, markup=False)


@verb(group=main, name="import", render=_render_plan)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "import",
    show_default="build/import",
    help="Into this folder.",
)
def import_command(shell: Shell, folder: Path) -> list[str]:
    """Write the files for taking over what exists already. Print the commands to do it, and do nothing else."""
    found = adoptions(shell.aws)
    for one in found:
        for name in one.names():
            shell.say(f"{one.stack} can take over {name}")
    return _imports.write(found, folder, shell.stage.name)


@verb(group=main, name="delete", acts=True, render=_render)
def delete_command(shell: Shell) -> list[Outcome]:
    """Delete every resource of the stage."""
    if shell.stage.name == "production":
        raise OperationFailed("production is not deleted by a command", "delete its stacks one by one in the console")
    shell.confirm(f"Deletes every stack of {shell.stage.name}, with its queues and tables.")
    return delete(shell.aws, dry_run=shell.dry_run)


if __name__ == "__main__":
    main()
