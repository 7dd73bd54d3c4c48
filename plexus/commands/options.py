"""Options that several commands share."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from plexus.artifacts import FolderArtifacts
from plexus.context import Context

STORE = Path("build/artifacts")

card = click.argument("card", metavar="CARD.yaml", type=click.Path(path_type=Path, dir_okay=False))
store = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=STORE,
    show_default=True,
    help="Folder of the artifacts.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
score = click.option("--score", "names", metavar="NAME", multiple=True, help="A score's name or key; all without it.")


def labelled(function: Callable[..., Any]) -> Callable[..., Any]:
    """--data, --text, --label: a file with labelled texts."""
    for option in (
        click.option("--label", default="label", show_default=True, help="Column of the labels."),
        click.option("--text", "text_column", default="text", show_default=True, help="Column of the texts."),
        click.option(
            "--data", "data_file", type=click.Path(path_type=Path, dir_okay=False), help="CSV, JSONL or Parquet file."
        ),
    ):
        function = option(function)
    return function


def asking(function: Callable[..., Any]) -> Callable[..., Any]:
    """--offline, --record, --model, --budget: how language models are asked."""
    for option in (
        click.option("--budget", type=float, help="US dollars per item; once spent, no more calls are made."),
        click.option("--model", metavar="PROVIDER:NAME", help="With --record: the model that answers."),
        click.option(
            "--record",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Ask for real, and add each reply to this cassette.",
        ),
        click.option("--offline", is_flag=True, help="Ask no provider: replay the score's cassette."),
    ):
        function = option(function)
    return function


def given(*names: str) -> list[str]:
    """Which of these parameters stand on the command line: one that has a default has a value in any case."""
    asked = click.get_current_context()
    return [name for name in names if asked.get_parameter_source(name) is ParameterSource.COMMANDLINE]


def context(
    folder: Path,
    *,
    offline: bool = False,
    record: Path | None = None,
    model: str | None = None,
    budget: float | None = None,
) -> Context:
    """The context of a command. Raises click.UsageError for options that contradict each other."""
    if model is not None and record is None:
        raise click.UsageError("--model goes with --record")
    if offline and record is not None:
        raise click.UsageError("--offline and --record contradict each other")
    if model is not None and not all(model.partition(":")):
        raise click.UsageError(f"--model {model}: expected PROVIDER:NAME, as in openai:gpt-4o-mini")
    if budget is not None and not 0 < budget < math.inf:
        raise click.UsageError(f"--budget {budget}: expected US dollars above 0")
    return Context(
        artifacts=FolderArtifacts(folder),
        offline=offline,
        record=record,
        model=model,
        budget=None if budget is None else Decimal(str(budget)),
    )


def progress(length: int, label: str, done: int = 0) -> Any:
    """A bar with the time that is left, on standard error; nothing where that is no terminal."""
    bar = click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty(), show_eta=True)
    bar.update(done)
    return bar


class Bars(ExitStack):
    """A bar for each score's training: what `publish` tells how far it is."""

    score = ""

    def __call__(self, score: str, done: int, total: int) -> None:
        """Moves the score's bar, the one before it being over."""
        if score != self.score:
            self.close()
            self.score, self.bar = score, self.enter_context(progress(total, f"training {score}"))
        self.bar.update(done - self.bar.pos)
