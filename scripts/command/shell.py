"""The context of a verb: its stage, its output, and whether it may change anything."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click

from ..aws.account import require_account
from ..aws.clients import Aws, create_clients
from ..aws.stage import Stage, load_stage
from ..console.errors import Refused
from ..console.output import is_coloured
from ..console.progress import Advance, Begin, no_progress, no_steps, show_bytes, show_items, show_steps
from ..console.text import escape_controls


@dataclass(frozen=True)
class Shell:
    """The options that all verbs share, and what follows from them."""

    stage_name: str = "local"
    endpoint_url: str | None = None
    as_json: bool = False
    dry_run: bool = False
    yes: bool = False

    @cached_property
    def stage(self) -> Stage:
        """The stage, read on first use."""
        return load_stage(self.stage_name)

    @cached_property
    def aws(self) -> Aws:
        """The stage's AWS clients."""
        return create_clients(self.stage, self.endpoint_url)

    @cached_property
    def console(self) -> Any:
        """Rich's console on standard output, for tables; importing rich costs 0.1 s, so `print` avoids it."""
        from ..console.printer import Printer

        return Printer()

    def print(self, text: str, **style: Any) -> None:
        """Print text on standard output, in click's styles if it is a terminal."""
        text = escape_controls(text)
        click.echo(click.style(text, **style) if style and is_coloured(sys.stdout) else text)

    def say(self, text: str) -> None:
        """Print progress on standard error, so that standard output has the result only."""
        click.echo(escape_controls(text), err=True)

    def count(self, task: str, total: int | None) -> AbstractContextManager[Advance]:
        """Show a bar of items on standard error while the block runs; none with --json."""
        return (no_progress if self.as_json else show_items)(task, total)

    def count_bytes(self, task: str, total: int | None) -> AbstractContextManager[Advance]:
        """Show a bar of bytes on standard error while the block runs; none with --json."""
        return (no_progress if self.as_json else show_bytes)(task, total)

    def steps(self) -> AbstractContextManager[Begin]:
        """Name the current step on standard error while it is slow; nothing with --json."""
        return (no_steps if self.as_json else show_steps)()

    def confirm(self, what: str) -> None:
        """Ask for confirmation before changing a guarded stage.

        Refused if it is declined, cannot be asked for without a terminal, or if the credentials belong to another
        account. Returns at once for other stages and in a dry run.
        """
        if self.dry_run or not self.stage.is_guarded:
            return
        if not self.yes and not sys.stdin.isatty():
            raise Refused(
                f"stage {self.stage.name} needs a confirmation, but standard input is not a terminal: {what}",
                "add --yes (make: YES=1)",
            )

        require_account(self.aws)  # names are alike in every account: confirming the wrong one would change it
        if not self.yes and not click.confirm(f"{what}\nContinue in stage {self.stage.name}?", err=True):
            raise Refused("nothing was changed", "run it again and confirm")
