"""The dead letters of the request queue: list, show, send back to work, delete.

python -m scripts.dlq list | show ID | redrive [ID...] | delete ID...
"""

from __future__ import annotations

import click

from . import _dead_letters
from ._command import Shell, Verbs, verb
from ._dead_letters import Letter, Redriven
from ._options import Between

NO_REASON = "no reason: SQS moved it after too many receives"


@click.group(cls=Verbs)
def main() -> None:
    """Look at the dead letters, send them back to work, or delete them."""


def _render(found: list[Letter], shell: Shell) -> None:
    for one in found:
        job = f"job {one.scoring_job_id}" if one.scoring_job_id else f"no job: {one.body[:60]!r}"
        shell.console.print(f"{one.id}  {one.sent}  {job}\n  {one.reason or NO_REASON}", markup=False)
    shell.console.print(f"{len(found)} dead letter{'s' * (len(found) != 1)}", markup=False)


@verb(group=main, name="list", render=_render)
def list_command(shell: Shell) -> list[Letter]:
    """List the dead letters with their reasons. They stay where they are."""
    with _dead_letters.held(shell.aws) as letters:
        return letters


def _render_one(found: list[Letter], shell: Shell) -> None:
    for one in found:
        shell.console.print(f"message  {one.id}\nsent     {one.sent}\nreceives {one.receives}", markup=False)
        shell.console.print(
            f"job      {one.scoring_job_id or 'none'}\nreason   {one.reason or NO_REASON}", markup=False
        )
        shell.console.print(f"body     {one.body}", markup=False)


@verb(group=main, name="show", render=_render_one)
@click.argument("name", metavar="ID")
def show_command(shell: Shell, name: str) -> list[Letter]:
    """Show the dead letters whose message or job id begins with ID."""
    with _dead_letters.held(shell.aws) as letters:
        return _dead_letters.chosen(letters, [name], several=True)


def _render_done(done: list[Redriven], shell: Shell) -> None:
    counts = {action: sum(one.action == action for one in done) for action in dict.fromkeys(one.action for one in done)}
    shell.console.print(
        ", ".join(f"{action}: {count}" for action, count in counts.items()) or "nothing to do", markup=False
    )


@verb(group=main, name="redrive", acts=True, render=_render_done)
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--rate", default=10.0, show_default=True, type=Between(0.01, 1000), help="Letters a second.")
def redrive_command(shell: Shell, names: tuple[str, ...], rate: float) -> list[Redriven]:
    """Send dead letters back to work. All of them, or those named; their jobs are PENDING again."""
    with _dead_letters.held(shell.aws) as letters:
        picked = _dead_letters.chosen(letters, names)
        shell.confirm(f"Sends {len(picked)} dead letters back to {shell.stage.queues.request}.")
        return _dead_letters.redrive(shell.aws, picked, rate=rate, dry_run=shell.dry_run, say=shell.say)


@verb(group=main, name="delete", acts=True, render=_render_done)
@click.argument("names", nargs=-1, metavar="ID...")
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
def delete_command(shell: Shell, names: tuple[str, ...], everything: bool) -> list[Redriven]:
    """Delete dead letters for good: those named, or --all."""
    if bool(names) == everything:
        raise click.UsageError("name the dead letters to delete, by message or job id, or say --all")
    with _dead_letters.held(shell.aws) as letters:
        picked = _dead_letters.chosen(letters, names)
        shell.confirm(f"Deletes {len(picked)} dead letters for good.")
        return _dead_letters.delete(shell.aws, picked, dry_run=shell.dry_run)


if __name__ == "__main__":
    main()
