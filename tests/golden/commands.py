"""Every command of `scripts/`, found by its file, and run in this process as a shell would start it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path

import click
from click.testing import CliRunner, Result

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LOOKS = frozenset(
    (
        *("costs", "dashboard", "dlq list", "dlq show", "doctor", "drift", "history", "infra diff", "lint_image"),
        *("logs", "results", "status", "verify"),
    )
)
"""Commands that change nothing, so that there is nothing to rehearse."""

# What `make` hands to commands, and what decides how their output looks.
ENVIRONMENT: dict[str, str | None] = {
    **dict.fromkeys(("CANARY", "DRY_RUN", "SKIP_VERIFY", "STAGE", "TO", "WATCH", "YES")),
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "TERM": "dumb",
}


@dataclass(frozen=True)
class Command:
    """A command or sub-command: the words that name it, and what click made of it."""

    words: tuple[str, ...]
    made: click.Command = field(repr=False)

    @property
    def name(self) -> str:
        """The words as people write them."""
        return " ".join(self.words)

    @property
    def options(self) -> set[str]:
        """Every option in every spelling."""
        return {
            name
            for one in self.made.params
            if isinstance(one, click.Option)
            for name in (*one.opts, *one.secondary_opts)
        }


def scripts() -> list[str]:
    """The modules that can be started: `python -m scripts.<name>`."""
    modules = [path.stem for path in SCRIPTS.glob("[a-z]*.py")]
    return sorted((*modules, *(path.parent.name for path in SCRIPTS.glob("*/__main__.py"))))


def main_of(script: str) -> click.Command:
    """What a script starts."""
    package = (SCRIPTS / script).is_dir()
    made = importlib.import_module(f"scripts.{script}.__main__" if package else f"scripts.{script}").main
    assert isinstance(made, click.Command), f"scripts.{script} has no click command `main`"
    return made


def commands(script: str) -> list[Command]:
    """What can be asked of a script: itself, or its sub-commands."""
    made = main_of(script)
    if isinstance(made, click.Group):
        return [Command((script, name), made.commands[name]) for name in sorted(made.commands)]
    return [Command((script,), made)]


def every() -> list[Command]:
    """All commands of all scripts."""
    return [command for script in scripts() for command in commands(script)]


def shown(*words: str) -> str:
    """The line that starts a command."""
    return f"$ python -m scripts.{' '.join(words)}"


def run(*words: str, **environment: str | None) -> Result:
    """Run a command to its end, without a terminal."""
    script, *rest = words
    runner = CliRunner(env={**ENVIRONMENT, **environment})
    return runner.invoke(main_of(script), rest, prog_name=f"python -m scripts.{script}")
