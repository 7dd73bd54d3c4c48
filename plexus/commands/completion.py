"""`plexus completion`: a shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell, for the command `plexus`.

    \b
    bash: eval "$(plexus completion bash)"
    zsh:  eval "$(plexus completion zsh)"
    fish: plexus completion fish | source
    """
    from plexus.commands import PROGRAM, group

    script = get_completion_class(shell)
    assert script is not None, f"click completes {shell}"
    click.echo(script(group, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source())
