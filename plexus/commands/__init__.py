"""The commands, one module per verb; a verb's module is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from plexus.commands import unread
from plexus.exceptions import InvalidScorecard, PlexusError

VERBS = ("lint", "run", "test", "train", "evaluate", "schema")


class _Verbs(click.Group):
    """Finds a verb's command in the module of that name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"plexus.commands.{cmd_name}").command
        return command


@click.command(cls=_Verbs, name="plexus", context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Scores texts with scorecards written in YAML."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit 0 when all went well, 1 for what the message says, 2 for misuse, 130 after Ctrl-C."""
    unread.allow()
    try:
        status = group.main(arguments, prog_name="python -m plexus", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except InvalidScorecard as error:
        click.echo(str(error), err=True)
        click.echo(f"{len(error.problems)} problem(s): the scorecard cannot be used", err=True)
        sys.exit(1)
    except PlexusError as error:
        click.echo(f"plexus: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"plexus: {place}{error.strerror or error}", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
