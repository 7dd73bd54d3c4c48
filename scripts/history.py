"""List the changes of the alias.

score-processor history
"""

from __future__ import annotations

import click

from .aws.ledger import Entry
from .checkout import git
from .command.shell import Shell
from .command.verb import verb
from .console.tables import create_grid
from .console.text import shorten_digest
from .release.history import History, read_history

LEAST_WIDTH = 110


def _render(changes: History, shell: Shell) -> None:
    if not changes.ledger:
        shell.say("no ledger: the stage has no Deployment table; these entries are from the versions' descriptions")
    if not changes.entries:
        shell.console.print("no deployment yet")
        return
    newest = next((entry for entry in changes.entries if entry.version == changes.live), None)
    rows = [_row(entry, entry is newest) for entry in changes.entries]
    table = create_grid(("", "time", "action", "version", "image", "commit", "user", "note"), rows, cut=False)
    # On a narrower terminal wrapped lines are easier to read than folded columns.
    shell.console.width = max(shell.console.width, LEAST_WIDTH)
    shell.console.print(table)


def _row(entry: Entry, live: bool) -> tuple[str, ...]:
    was = f"{entry.previous_version} → " if entry.previous_version else ""
    return (
        "live" if live else "",
        entry.at[:19].replace("T", " "),
        entry.action,
        f"{was}{entry.version}",
        shorten_digest(entry.digest),
        git.shorten_revision(entry.commit),
        entry.who,
        entry.note,
    )


@verb(render=_render)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Number of changes.")
def main(shell: Shell, limit: int) -> History:
    """List the changes of the alias (deploys, rollbacks, configurations), newest first."""
    return read_history(shell.aws, limit)
