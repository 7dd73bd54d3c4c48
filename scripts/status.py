"""What runs now: function, alias, digest, how full the queues are and for how long, and the last deploys.

python -m scripts.status
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _function, _git, _release, _scenario, history
from ._aws import Aws
from ._command import Shell, verb
from ._doctor_queues import age_of
from ._ledger import Entry
from ._text import duration, short

DEPLOYS = 3


@dataclass(frozen=True)
class Status:
    """The function as callers see it, messages by queue (visible, in work or delayed), and the last changes.

    `oldest_s` holds, by queue, the seconds that the oldest message waits, where CloudWatch knows it.
    """

    function: str
    state: str
    alias: str
    version: str
    digest: str
    commit: str
    queues: dict[str, int]
    oldest_s: dict[str, float]
    deploys: tuple[Entry, ...]


def status(aws: Aws) -> Status:
    """Read function, alias, queues and the last deploys of the stage."""
    live, latest, names = _release.read_live(aws), _function.read(aws), aws.stage.queues
    queues = (names.request, names.request_dead_letters, names.response, names.response_dead_letters)
    depths = {name: _scenario.depth(aws, aws.queue_url(name)) for name in queues}
    ages = {name: age_of(aws, name) for name, depth in depths.items() if depth}
    return Status(
        function=aws.stage.function.name,
        state=latest.state,
        alias=aws.stage.function.alias,
        version=live.version,
        digest=live.digest,
        commit=live.commit,
        queues=depths,
        oldest_s={name: age for name, age in ages.items() if age},
        deploys=history.history(aws, DEPLOYS).entries,
    )


def _render(found: Status, shell: Shell) -> None:
    shell.console.print(f"{found.function}: {found.state}", markup=False)
    shell.console.print(
        f"{found.alias} names version {found.version}, image {short(found.digest)}, commit {found.commit}", markup=False
    )
    for name, depth in found.queues.items():
        waits = f", the oldest for {duration(found.oldest_s[name])}" if name in found.oldest_s else ""
        shell.console.print(f"{name}: {depth} {'message' if depth == 1 else 'messages'}{waits}", markup=False)
    for entry in found.deploys:
        when, commit = entry.at[:19].replace("T", " "), _git.short_revision(entry.commit)
        what = f"{entry.action} of version {entry.version}, image {short(entry.digest)}, commit {commit}"
        shell.console.print(f"{when}  {what}{f' by {entry.who}' if entry.who else ''}", markup=False)


@verb(render=_render)
def main(shell: Shell) -> Status:
    """Show function, alias, digest, queues with their ages, and the last deploys."""
    return status(shell.aws)


if __name__ == "__main__":
    main()
