"""Open a shell in the image.

score-processor shell [-- WORDS...]
"""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command.shell import Shell
from .command.verb import verb
from .images.local_run import (
    create_settings,
    create_variables,
    engine_option,
    find_endpoint,
    find_layout,
    image_option,
    translate_local_errors,
    variables_option,
)

if TYPE_CHECKING:
    from local_aws.engine import Launch


@dataclass(frozen=True)
class ExitStatus:
    """The exit code of the command in the image."""

    exit_code: int


@verb(render=lambda *_: None)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@image_option
@variables_option()
@engine_option("the shell")
def main(
    shell: Shell, words: tuple[str, ...], image: Path | None, assignments: tuple[str, ...], engine: str | None
) -> ExitStatus:
    """Open a shell in the image's root file system, or run WORDS there, as the function's user.

    The root is read-only, as in Lambda. An image without a shell opens Python. The exit code is the command's.
    """
    from local_aws import engine_choice, interactive
    from local_aws.image import from_layout
    from nix.cache.folder import in_use

    endpoint = find_endpoint(shell)
    values = create_variables(shell.stage, assignments, endpoint)
    with in_use(), translate_local_errors():
        what, isolation = from_layout(find_layout(image)), engine_choice.choose(engine)
        opened = words or interactive.find_default_program(what)
        command = interactive.command(what, create_settings(shell.stage, values, endpoint), isolation, opened)
        if words:
            return ExitStatus(run_command(command))
        shell.say(f"{opened[0]} in the image (engine {isolation.name}); Ctrl-D to exit")
        return ExitStatus(run_attached(command))


def run_attached(command: Launch) -> int:
    """Run a command on this terminal; Ctrl-C reaches the command only, not this process or bubblewrap."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return run_command(command)
    finally:
        signal.signal(signal.SIGINT, before)


def run_command(command: Launch) -> int:
    """Run a command; return its exit code, or 128 plus the signal's number."""
    environment = dict(command.environment)
    with subprocess.Popen(command.command, env=environment, pass_fds=command.descriptors()) as process:
        command.hand_over()
        status = process.wait()
    return 128 - status if status < 0 else status
