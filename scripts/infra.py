"""Create, update, compare, import or delete a stage's resources.

score-processor infra deploy | diff | import | delete
"""

from __future__ import annotations

from pathlib import Path

import click

from .aws import resource_import, resources
from .aws.resources import Outcome, adoptions, delete, deploy, diff, templates
from .checkout import ROOT, synthesis
from .command.shell import Shell
from .command.verb import Verbs, verb
from .console.errors import OperationFailed, Refused
from .differences import by_hand


def _require_current(shell: Shell, *, may_write: bool) -> None:
    """Synthesize the local stage's templates if its file has changed; Refused for other stages, and if only looking.

    The templates of a guarded stage are reviewed and committed before they are deployed.
    """
    stage = shell.stage
    if not resources.is_outdated(stage.name):
        return
    problem = f"stages/{stage.name}.toml has changed since its templates were synthesized"
    if not (may_write and stage.is_local):
        commit = "" if stage.is_local else f", and commit infrastructure/templates/{stage.name}"
        raise Refused(problem, f"make infra{commit}")
    shell.say(f"{problem}: synthesizing them")
    synthesis.synthesize(stage.name)


def _render(outcomes: list[Outcome], shell: Shell) -> None:
    for outcome in outcomes:
        shell.console.print(str(outcome), markup=False)


@click.group(cls=Verbs)
def main() -> None:
    """Create, update, compare, import or delete a stage's resources through CloudFormation."""


@verb(group=main, name="deploy", acts=True, render=_render)
@click.option("--image-uri", help="The image of a new function (default: the last build).")
def deploy_command(shell: Shell, image_uri: str | None) -> list[Outcome]:
    """Create missing stacks, update those that differ, and revert what was deleted or changed by hand."""
    _require_current(shell, may_write=not shell.dry_run)
    if not shell.dry_run and shell.stage.is_guarded:
        planned = diff(shell.aws, by_hand=by_hand.find_changes)
        pending = [o for o in planned if o.action.startswith("would")]
        if not pending:
            return planned
        shell.confirm("\n".join(map(str, pending)))
    with shell.count("stacks", len(templates(shell.stage.name))) as done:
        return deploy(
            shell.aws, image_uri=image_uri, by_hand=by_hand.find_changes, dry_run=shell.dry_run, say=lambda _: done(1)
        )


@verb(group=main, name="diff", render=_render)
def diff_command(shell: Shell) -> list[Outcome]:
    """List the changes that deploy would make."""
    _require_current(shell, may_write=False)
    return diff(shell.aws, by_hand=by_hand.find_changes)


def _render_plan(lines: list[str], shell: Shell) -> None:
    for line in lines or ["this stage has no resources outside of its stacks"]:
        shell.console.print(line, markup=False)


@verb(group=main, name="import", render=_render_plan)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "import",
    show_default="build/import",
    help="The folder for the files.",
)
def import_command(shell: Shell, folder: Path) -> list[str]:
    """Write the files that import existing resources into the stacks, and print the commands to do it."""
    adoptable = adoptions(shell.aws)
    for adoption in adoptable:
        for name in adoption.names():
            shell.say(f"{adoption.stack} can import {name}")
    return resource_import.write(adoptable, folder, shell.stage.name)


@verb(group=main, name="delete", acts=True, render=_render)
def delete_command(shell: Shell) -> list[Outcome]:
    """Delete every resource of the stage."""
    if shell.stage.name == "production":
        raise OperationFailed(
            "production cannot be deleted by a command", "delete its stacks in the CloudFormation console"
        )
    shell.confirm(f"Deletes every stack of {shell.stage.name}, with its queues and tables.")
    return delete(shell.aws, dry_run=shell.dry_run)
