"""The dead letters of the request queue, with their reasons; they stay where they are.

python -m scripts.dlq list
"""

from __future__ import annotations

import click

from . import _scenario
from ._command import Shell, Verbs, verb
from ._page import DeadLetter


@click.group(cls=Verbs)
def main() -> None:
    """Look at the dead letters."""


def _render(found: list[DeadLetter], shell: Shell) -> None:
    for letter in found:
        shell.console.print(f"{letter.body}\n  {letter.reason or 'no reason: moved by SQS itself'}", markup=False)
    shell.console.print(f"{len(found)} dead letters", markup=False)


@verb(group=main, name="list", render=_render)
def list_command(shell: Shell) -> list[DeadLetter]:
    """List the dead letters with their reasons."""
    queue = shell.aws.queue_url(shell.stage.queues.request_dead_letters)
    return list(_scenario.dead_letters(shell.aws, queue))


if __name__ == "__main__":
    main()
