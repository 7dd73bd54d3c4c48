"""What the alias named, one line for each change, the newest first: from the ledger, else from the versions.

python -m scripts.history
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from . import _function, _git, _ledger, _release
from ._aws import Aws
from ._command import Shell, verb
from ._grid import grid
from ._ledger import Entry
from ._text import short

LEAST_WIDTH = 110


@dataclass(frozen=True)
class History:
    """Entries, the newest first; `ledger` is False where they are only what the versions say of themselves."""

    entries: tuple[Entry, ...]
    ledger: bool
    live: str


def history(aws: Aws, limit: int = 20) -> History:
    """Return the last changes of the stage's function."""
    live = _release.read_live(aws).version
    found = _ledger.entries(aws, limit)
    if found is not None:
        return History(tuple(found), True, live)
    return History(tuple(_from_versions(aws))[:limit], False, live)


def _from_versions(aws: Aws) -> list[Entry]:
    """What published versions tell without a ledger: no action, no previous one."""
    pages = (
        aws.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=aws.stage.function.name)
    )
    facts = [_function.facts(one) for page in pages for one in page["Versions"] if one["Version"] != "$LATEST"]
    return [
        Entry(
            at=one.modified,
            action="published",
            version=one.version,
            digest=one.digest,
            previous_version="",
            previous_digest="",
            commit=_release.commit_of(one.description),
            configuration=one.configuration,
            locks="",
            who=one.description.rpartition(" by ")[2] if " by " in one.description else "",
        )
        for one in sorted(facts, key=lambda one: -int(one.version))
    ]


def _render(found: History, shell: Shell) -> None:
    if not found.ledger:
        shell.say("no ledger: the stage has no Deployment table; this is what the versions say of themselves")
    if not found.entries:
        shell.console.print("nothing was deployed yet")
        return
    newest = next((entry for entry in found.entries if entry.version == found.live), None)
    rows = [_row(entry, entry is newest) for entry in found.entries]
    table = grid(("", "when", "what", "version", "image", "commit", "who", "note"), rows, cut=False)
    # A narrower terminal breaks the lines itself, which is easier to read than columns of half words.
    shell.console.width = max(shell.console.width, LEAST_WIDTH)
    shell.console.print(table)


def _row(entry: Entry, live: bool) -> tuple[str, ...]:
    was = f"{entry.previous_version} → " if entry.previous_version else ""
    return (
        "live" if live else "",
        entry.at[:19].replace("T", " "),
        entry.action,
        f"{was}{entry.version}",
        short(entry.digest),
        _git.short_revision(entry.commit),
        entry.who,
        entry.note,
    )


@verb(render=_render)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many changes to show.")
def main(shell: Shell, limit: int) -> History:
    """Show what the alias named, the newest change first."""
    return history(shell.aws, limit)


if __name__ == "__main__":
    main()
