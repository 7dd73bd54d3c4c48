"""Create, update, compare, import or delete a stage's resources.

score-processor infra deploy | diff | import | delete
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import click

from .aws import approval, event_source, function_role, resource_import, resources
from .aws.account import require_account
from .aws.clients import Aws
from .aws.resources import Outcome, delete, deploy, plan_adoptions, preview_deploy, read_templates
from .aws.stacks import Change
from .checkout import ROOT, synthesis
from .command.shell import Shell
from .command.verb import Verbs, verb
from .console.errors import OperationFailed, Refused
from .differences import by_hand, function_drift

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def _check_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the name of a change set as CloudFormation allows it."""
    if value and not NAME.fullmatch(value):
        raise click.BadParameter(f"got {value!r}, expected a letter, then at most 127 letters, digits and hyphens")
    return value


CHANGE_SET = click.option(
    "--change-set", metavar="NAME", envvar="CHANGE_SET", callback=_check_name, help="The name of prepared change sets."
)


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
@CHANGE_SET
def deploy_command(shell: Shell, image_uri: str | None, change_set: str | None) -> list[Outcome]:
    """Create missing stacks, update those that differ, and revert what was deleted or changed by hand.

    In a guarded stage the changes that are confirmed are the change sets that are executed. With --change-set these
    are the ones that diff prepared under that name.
    """
    _require_current(shell, may_write=not shell.dry_run)
    require_account(shell.aws)
    if change_set or (shell.stage.is_guarded and not shell.dry_run):
        outcomes = deploy_confirmed(shell, change_set)
    else:
        with shell.count("stacks", len(read_templates(shell.stage.name))) as done:
            outcomes = deploy(
                shell.aws,
                image_uri=image_uri,
                by_hand=by_hand.find_changes,
                dry_run=shell.dry_run,
                say=lambda _: done(1),
            )
    return [*outcomes, *_remove_additions(shell)]


def _remove_additions(shell: Shell) -> list[Outcome]:
    """Remove what was added to the request queue or to the function's role by hand, once that is confirmed."""
    outcomes = preview_additions(shell.aws)
    if outcomes and not shell.dry_run:
        shell.confirm("\n".join(map(str, outcomes)))
        event_source.remove_additions(shell.aws, event_source.find_additions(shell.aws))
        function_role.remove_additions(shell.aws, function_role.find_additions(shell.aws))
        return [replace(outcome, action="updated") for outcome in outcomes]
    return outcomes


def preview_additions(aws: Aws) -> list[Outcome]:
    """Return what was added to the request queue or to the function's role by hand, as deploy would remove it."""
    differences = {
        f"queue {aws.stage.queues.request}": function_drift.compare_consumers(aws),
        f"role of {aws.stage.function.name}": function_drift.compare_role_additions(aws),
    }
    changes = {subject: [Change("Remove", str(one), "") for one in entries] for subject, entries in differences.items()}
    return [Outcome(subject, "would update", entries) for subject, entries in changes.items() if entries]


def deploy_confirmed(shell: Shell, prepared: str | None) -> list[Outcome]:
    """Execute the change sets of this name; without one prepare them, and delete them if they are declined.

    Without `prepared` the change sets have a name of their own, so that two deploys at once do not replace each
    other's.
    """
    name = prepared or f"deploy-{time.time_ns()}"
    if prepared:
        planned = approval.execute(shell.aws, name, by_hand=by_hand.find_changes, dry_run=True)
    else:
        planned = approval.prepare(shell.aws, name, by_hand=by_hand.find_changes)
    pending = [outcome for outcome in planned if outcome.action.startswith("would")]
    if shell.dry_run or not pending:
        return planned
    try:
        shell.confirm("\n".join(map(str, pending)))
    except BaseException:
        if not prepared:
            approval.discard(shell.aws, name)
        raise
    with shell.count("stacks", len(planned)) as done:
        return approval.execute(shell.aws, name, by_hand=by_hand.find_changes, say=lambda _: done(1))


@verb(group=main, name="diff", render=_render)
@CHANGE_SET
def diff_command(shell: Shell, change_set: str | None) -> list[Outcome]:
    """List the changes that deploy would make.

    With --change-set they are prepared as change sets of this name, which deploy --change-set executes once they are
    approved.
    """
    _require_current(shell, may_write=False)
    require_account(shell.aws)
    if change_set:
        outcomes = approval.prepare(shell.aws, change_set, by_hand=by_hand.find_changes)
    else:
        outcomes = preview_deploy(shell.aws, by_hand=by_hand.find_changes)
    return [*outcomes, *preview_additions(shell.aws)]


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
    adoptable = plan_adoptions(shell.aws)
    for adoption in adoptable:
        for name in adoption.names():
            shell.say(f"{adoption.stack} can import {name}")
    return resource_import.write(adoptable, folder, shell.stage.name)


@verb(group=main, name="delete", acts=True, render=_render)
def delete_command(shell: Shell) -> list[Outcome]:
    """Delete every resource of the stage."""
    if shell.stage.is_production:
        raise OperationFailed(
            f"{shell.stage.name} cannot be deleted by a command", "delete its stacks in the CloudFormation console"
        )
    shell.confirm(f"Deletes every stack of {shell.stage.name}, with its queues and tables.")
    return delete(shell.aws, dry_run=shell.dry_run)
