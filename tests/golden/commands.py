"""Every verb of `score-processor`, run in this process as a shell would start it."""

from __future__ import annotations

from dataclasses import dataclass, field

import click
from click.testing import CliRunner, Result

from scripts.command.root import PROGRAMS, root

LOOKS = frozenset(
    (
        *("costs", "dashboard", "dlq list", "dlq show", "doctor", "drift", "history", "infra diff", "lint-image"),
        *("logs", "results", "shadow", "status", "verify"),
    )
)
"""Commands that change nothing, so that there is nothing to rehearse."""

# What `make` hands to commands, and what decides how their output looks.
ENVIRONMENT: dict[str, str | None] = {
    **dict.fromkeys(("CANARY", "CHANGE_SET", "DRY_RUN", "SKIP_STAGING", "SKIP_VERIFY", "STAGE", "TO", "WATCH", "YES")),
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "TERM": "dumb",
}


@dataclass(frozen=True)
class Command:
    """A command or subcommand: its words and its click command."""

    words: tuple[str, ...]
    made: click.Command = field(repr=False)

    @property
    def name(self) -> str:
        """The words, joined by spaces."""
        return " ".join(self.words)

    @property
    def options(self) -> set[str]:
        """All options in all spellings."""
        return {
            name
            for one in self.made.params
            if isinstance(one, click.Option)
            for name in (*one.opts, *one.secondary_opts)
        }


def verbs() -> list[str]:
    """Return the verbs that are click commands of this project; programs have a command line of their own."""
    return sorted(set(root.list_commands(click.Context(root))) - PROGRAMS.keys())


def command_of(verb: str) -> click.Command:
    """Return the click command of a verb."""
    command = root.get_command(click.Context(root), verb)
    assert command is not None, f"{verb} is listed and has no command"
    return command


def commands(verb: str) -> list[Command]:
    """Return the verb, or its sub-commands if it has some."""
    created = command_of(verb)
    if isinstance(created, click.Group):
        return [Command((verb, name), created.commands[name]) for name in sorted(created.commands)]
    return [Command((verb,), created)]


def every() -> list[Command]:
    """Return all commands that act on a stage: every one but `completion`."""
    return [command for verb in verbs() if verb != "completion" for command in commands(verb)]


def format_line(*words: str) -> str:
    """Return the line that starts a command."""
    return f"$ score-processor {' '.join(words)}"


def run(*words: str, **environment: str | None) -> Result:
    """Run a command to its end, without a terminal."""
    return CliRunner(env={**ENVIRONMENT, **environment}).invoke(root, words, prog_name="score-processor")
