"""List, show, redrive or delete the dead letters of the request queue.

score-processor dlq list | show ID | redrive [ID...] | delete ID... | delete --poison
"""

from __future__ import annotations

import time

import click

from .aws.account import require_account
from .checkout import ROOT
from .command.shell import Shell
from .command.verb import Verbs, verb
from .console.options import Between
from .console.text import pluralize
from .jobs import dead_letters
from .jobs.dead_letters import Letter, RedriveResult

KEPT = ROOT / "build" / "dead-letters"
NO_REASON = "no reason recorded: SQS moved it after too many receives"
NO_ROOM = "no room for a reason beside so large a body: make logs FOLLOW=0 TEXT='no result' has it"


@click.group(cls=Verbs)
def main() -> None:
    """List, show, redrive or delete dead letters."""


def find_reason(letter: Letter) -> str:
    """Return why a message is a dead letter."""
    return letter.reason or (NO_REASON if letter.has_room else NO_ROOM)


def _render(letters: list[Letter], shell: Shell) -> None:
    for letter in letters:
        job = f"job {letter.scoring_job_id}" if letter.scoring_job_id else f"no job: {letter.body[:60]!r}"
        shell.console.print(f"{letter.id}  {letter.sent}  {job}\n  {find_reason(letter)}", markup=False)
    shell.console.print(pluralize(len(letters), "dead letter"), markup=False)


@verb(group=main, name="list", render=_render)
def list_command(shell: Shell) -> list[Letter]:
    """List the dead letters with their reasons, without changing them."""
    with dead_letters.held_letters(shell.aws) as letters:
        return letters


def _render_one(letters: list[Letter], shell: Shell) -> None:
    for letter in letters:
        shell.console.print(f"message  {letter.id}\nsent     {letter.sent}\nreceives {letter.receives}", markup=False)
        shell.console.print(f"job      {letter.scoring_job_id or 'none'}\nreason   {find_reason(letter)}", markup=False)
        shell.console.print(f"body     {letter.body}", markup=False)


@verb(group=main, name="show", render=_render_one)
@click.argument("name", metavar="ID")
def show_command(shell: Shell, name: str) -> list[Letter]:
    """Show the dead letters whose message or job id starts with ID."""
    with dead_letters.held_letters(shell.aws) as letters:
        return dead_letters.select(letters, [name], several=True)


def _render_done(done: list[RedriveResult], shell: Shell) -> None:
    counts = {action: sum(one.action == action for one in done) for action in dict.fromkeys(one.action for one in done)}
    shell.console.print(
        ", ".join(f"{action}: {count}" for action, count in counts.items()) or "nothing to do", markup=False
    )


@verb(group=main, name="redrive", acts=True, render=_render_done)
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--rate", default=10.0, show_default=True, type=Between(0.01, 1000), help="Letters per second.")
def redrive_command(shell: Shell, names: tuple[str, ...], rate: float) -> list[RedriveResult]:
    """Redrive dead letters (default: all): reset their jobs to PENDING and send them to the request queue."""
    require_account(shell.aws)
    with dead_letters.held_letters(shell.aws) as letters:
        picked = dead_letters.select(letters, names)
        shell.confirm(f"Redrives {pluralize(len(picked), 'dead letter')} to {shell.stage.queues.request}.")
        return dead_letters.redrive(shell.aws, picked, rate=rate, dry_run=shell.dry_run, say=shell.say)


@verb(group=main, name="delete", acts=True, render=_render_done)
@click.argument("names", nargs=-1, metavar="ID...")
@click.option("--all", "delete_all", is_flag=True, help="Delete every dead letter.")
@click.option(
    "--poison", is_flag=True, help="Delete those that no redrive helps, after writing them to a file in build/."
)
def delete_command(shell: Shell, names: tuple[str, ...], delete_all: bool, poison: bool) -> list[RedriveResult]:
    """Delete the named dead letters, --all, or --poison, permanently.

    Poison letters name no job, or one that does not exist or is COMPLETED.
    """
    if [bool(names), delete_all, poison].count(True) != 1:
        raise click.UsageError("name the dead letters to delete, by message or job id, or use --all or --poison")
    require_account(shell.aws)
    with dead_letters.held_letters(shell.aws) as letters:
        picked = dead_letters.select_poison(shell.aws, letters) if poison else dead_letters.select(letters, names)
        shell.confirm(f"Deletes {pluralize(len(picked), 'dead letter')} permanently.")
        if poison and picked and not shell.dry_run:
            path = KEPT / f"{shell.stage.name}-{time.strftime('%Y%m%dT%H%M%S')}.jsonl"
            dead_letters.keep(picked, path)
            shell.say(f"kept in {path.relative_to(ROOT)}")
        return dead_letters.delete(shell.aws, picked, dry_run=shell.dry_run)
