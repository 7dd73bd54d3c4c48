"""A shell inside the image's root, or Python where the image has no shell, as the user that functions run as.

python -m scripts.shell [-- WORDS...]
"""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _nix
from ._command import Shell, verb
from ._local_image import endpoint_of, layout_folder, settings, told, variables

if TYPE_CHECKING:
    from local_aws import inside

assert _nix  # makes `cache` importable


@dataclass(frozen=True)
class Ended:
    """How what ran in the image ended."""

    exit_code: int


@verb(render=lambda *_: None)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--image", type=click.Path(path_type=Path), help="An OCI layout folder (default: build/image).")
@click.option("--env", "given", multiple=True, metavar="NAME[=VALUE]", help="A variable; without =, this shell's own.")
@click.option("--engine", type=click.Choice(["bubblewrap", "plain"]), help="How to run it (default: what works here).")
def main(shell: Shell, words: tuple[str, ...], image: Path | None, given: tuple[str, ...], engine: str | None) -> Ended:
    """Open a shell (Python where there is none) in the image's root, read-only as in Lambda; or run WORDS there.

    The status is that of what ran.
    """
    from cache import in_use

    from local_aws import engines, inside
    from local_aws.image import from_layout

    values = variables(shell.stage, given, endpoint_of(shell))
    with in_use(), told():
        what, chosen = from_layout(layout_folder(image)), engines.choose(engine)
        opened = words or inside.interactive(what)
        command = inside.command(what, settings(shell.stage, values), chosen, opened)
        if words:
            return Ended(ended(command))
        shell.say(f"{opened[0]} in the image ({chosen.name}); Ctrl-D leaves it")
        return Ended(attached(command))


def attached(command: inside.Command) -> int:
    """Run on this terminal. Ctrl-C is for what was opened there: neither we nor bubblewrap end by it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return ended(command)
    finally:
        signal.signal(signal.SIGINT, before)


def ended(command: inside.Command) -> int:
    """The status of a command, 128 and more for a signal, as shells have it."""
    status = subprocess.run(command.words, env=dict(command.environment), check=False).returncode
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    main()
