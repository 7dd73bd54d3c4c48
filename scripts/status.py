"""What runs now: function, alias, digest, and how full the queues are.

python -m scripts.status
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _function, _release, _scenario
from ._aws import Aws
from ._command import Shell, verb
from ._text import short


@dataclass(frozen=True)
class Status:
    """The function as callers see it, and messages by queue (visible, in work or delayed)."""

    function: str
    state: str
    alias: str
    version: str
    digest: str
    commit: str
    queues: dict[str, int]


def status(aws: Aws) -> Status:
    """Read function, alias and queues of the stage."""
    live, latest, names = _release.read_live(aws), _function.read(aws), aws.stage.queues
    queues = (names.request, names.request_dead_letters, names.response)
    return Status(
        function=aws.stage.function.name,
        state=latest.state,
        alias=aws.stage.function.alias,
        version=live.version,
        digest=live.digest,
        commit=live.commit,
        queues={name: _scenario.depth(aws, aws.queue_url(name)) for name in queues},
    )


def _render(found: Status, shell: Shell) -> None:
    shell.console.print(f"{found.function}: {found.state}", markup=False)
    shell.console.print(
        f"{found.alias} names version {found.version}, image {short(found.digest)}, commit {found.commit}", markup=False
    )
    for name, depth in found.queues.items():
        shell.console.print(f"{name}: {depth} messages", markup=False)


@verb(render=_render)
def main(shell: Shell) -> Status:
    """Show function, alias, digest and queues."""
    return status(shell.aws)


if __name__ == "__main__":
    main()
