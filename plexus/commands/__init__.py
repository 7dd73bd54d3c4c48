"""The command `plexus`: one module per verb, imported when the verb is used."""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from plexus import environment, tracing
from plexus.commands import wrapper

PROGRAM = "plexus"
DISTRIBUTION = "score-processor"
VERBS = (
    "lint",
    "run",
    "test",
    "train",
    "evaluate",
    "data",
    "import",
    "compare",
    "serve",
    "models",
    "schema",
    "completion",
)


class _Verbs(click.Group):
    """A group whose commands are in modules of their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"plexus.commands.{module}").command
        return command


@click.command(cls=_Verbs, name="plexus", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=DISTRIBUTION, prog_name=PROGRAM, message="%(prog)s %(version)s")
def group() -> None:
    """Score texts with scorecards written in YAML.

    \b
    Exit codes: 0 success; 1 a failed check or score, or an error, printed in one
    line; 2 misuse; 130 Ctrl-C.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line (default: this process's) and exit with its code, as `wrapper.run` describes it."""
    tracing.remove_variables(os.environ)
    environment.adopt(os.environ)
    program = PROGRAM if Path(sys.argv[0]).name == PROGRAM else f"python -m {PROGRAM}"
    sys.exit(wrapper.run(group, arguments, program))
