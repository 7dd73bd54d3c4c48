"""Print a shell's completion script.

score-processor completion bash|zsh|fish
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .command.root import root
from .command.verb import Verb

VARIABLE = "_SCORE_PROCESSOR_COMPLETE"


def render_script(shell: str) -> str:
    """Return click's completion script for bash, zsh or fish."""
    completion = get_completion_class(shell)
    assert completion is not None, f"click completes {shell}"
    return completion(root, {}, "score-processor", VARIABLE).source()


@click.command("completion", cls=Verb)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def main(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(score-processor completion bash)"
    zsh:  eval "$(score-processor completion zsh)"
    fish: score-processor completion fish | source
    """
    click.echo(render_script(shell))
