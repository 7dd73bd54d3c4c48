"""Options that several commands share."""

from __future__ import annotations

import functools
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

import click
from click.core import ParameterSource

from plexus.artifacts import FolderArtifacts
from plexus.context import Context

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST_TEXT = 200  # characters that a suggested command repeats
STORE = Path("build/artifacts")
PAGE_MARK = '<meta name="generator" content="plexus">'
_Command = TypeVar("_Command", bound=Callable[..., object])

card = click.argument("card", metavar="CARD.yaml", type=click.Path(path_type=Path, dir_okay=False))
store = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=STORE,
    show_default=True,
    help="Folder of artifacts; by default also build/artifacts beside or above the card.",
)
replace = click.option("--replace", "is_replaced", is_flag=True, help="Replace existing files.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
score = click.option("--score", "names", metavar="NAME", multiple=True, help="Name or key of a score. Default: all.")

text_column = click.option(
    "--text", "text_column", default="text", show_default=True, help="Column of texts, by name or number."
)
label = click.option("--label", default="label", show_default=True, help="Column of labels, by name or number.")


class ModelOptions(TypedDict):
    """The values of the options that `model_options` adds."""

    offline: bool
    record: Path | None
    model: str | None
    budget: float | None


#: The values of the options that `add_table_options` adds, by name: `plexus.tables.Layout`.
Layout = Mapping[str, str | None]
LAYOUT = ("encoding", "sheet", "header_row")


def add_table_layout(function: Callable[..., object]) -> Callable[..., object]:
    """Add --encoding, --sheet and --header-row, and pass them as `layout`."""

    @functools.wraps(function)
    def call_with_layout(
        *, encoding: str | None, sheet: str | None, header_row: str | None, **others: object
    ) -> object:
        return function(layout={"encoding": encoding, "sheet": sheet, "header_row": header_row}, **others)

    return add_table_options(call_with_layout)


def add_table_options(function: _Command) -> _Command:
    """Add --encoding, --sheet and --header-row."""
    for option in (
        click.option("--header-row", metavar="N[-M]", help="Row of the column names, and last row below it to ignore."),
        click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook. Default: detected, and printed."),
        click.option("--encoding", metavar="NAME", help="Encoding of the table. Default: detected."),
    ):
        function = option(function)
    return function


def labelled_data(function: Callable[..., object]) -> Callable[..., object]:
    """Add --data, --text, --label and the options of the layout: a file of labelled texts, its columns, its form."""
    for option in (
        add_table_layout,
        label,
        text_column,
        click.option(
            "--data",
            "data_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Table: CSV, JSON, Excel or Parquet; - is standard input.",
        ),
    ):
        function = option(function)
    return function


def model_options(function: _Command) -> _Command:
    """Add --offline, --record, --model and --budget, which control the calls to language models."""
    for option in (
        click.option("--budget", type=float, help="US dollars per item, after which no more calls are made."),
        click.option("--model", metavar="PROVIDER:NAME", help="With --record: the model to call."),
        click.option(
            "--record",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Call the provider for what this cassette has no reply to, and add each reply.",
        ),
        click.option("--offline", is_flag=True, help="Replay the score's cassette; call no provider."),
    ):
        function = option(function)
    return function


def list_cards(paths: Iterable[Path]) -> list[Path]:
    """Return the files, and every scorecard of the folders. Raises click.UsageError if there is none."""
    from plexus.card_files import find_cards

    cards = [card for path in paths for card in find_cards(path)]
    if not cards:
        raise click.UsageError(f"no YAML or JSON file in {', '.join(map(str, paths))} is a scorecard")
    return cards


def name_card(card: Path, paths: Iterable[Path]) -> str:
    """Return what messages call a card: its path below the named folder, or the name of a named file."""
    folders = [path for path in paths if path.is_dir() and card.is_relative_to(path)]
    return card.relative_to(folders[0]).as_posix() if folders else card.name


def find_explicit(*names: str) -> list[str]:
    """Return those of these parameters that are on the command line, as opposed to having their default."""
    current = click.get_current_context()
    return [name for name in names if current.get_parameter_source(name) is ParameterSource.COMMANDLINE]


def find_store(store: Path, cards: Sequence[Path | None]) -> Path:
    """Return the folder of artifacts that has most of those that the cards name by digest.

    It is `store` if the command line names it, else `store` under the working folder, a card's folder or a folder above
    that one, nearest first. A card that is no readable text names none.
    """
    if find_explicit("store"):
        return store
    paths = [card for card in cards if card is not None]
    digests: set[str] = set()
    for card in paths:
        with suppress(OSError, UnicodeDecodeError):
            digests.update(_DIGEST.findall(card.read_text(encoding="utf-8")))
    above = [folder for card in paths for folder in card.absolute().parents]
    folders = [store, *(folder / store for folder in above)]
    return max(folders, key=lambda folder: sum(digest in FolderArtifacts(folder) for digest in digests))


def create_context(
    folder: Path,
    *,
    offline: bool = False,
    record: Path | None = None,
    model: str | None = None,
    budget: float | None = None,
    renew: bool = False,
) -> Context:
    """Return the context of a command. Raises click.UsageError for options that contradict each other."""
    if model is not None and record is None:
        raise click.UsageError("--model requires --record")
    if offline and record is not None:
        raise click.UsageError("--offline and --record contradict each other")
    if model is not None and not all(model.partition(":")):
        raise click.UsageError(f"--model {model}: expected PROVIDER:NAME, as in openai:gpt-4o-mini")
    return Context(
        artifacts=FolderArtifacts(folder),
        offline=offline,
        record=record,
        renewed=renew,
        model=model,
        budget=parse_dollars("--budget", budget),
        texts=_quote_texts(),
    )


def _quote_texts() -> str:
    """Return the words, for a shell, that name the texts of the current command: a short text, or a table's options."""
    context = click.get_current_context()
    if context.params.get("data_file") is not None:
        chosen = find_explicit("data_file", "text_column", *LAYOUT)
        pairs = [(each.opts[0], context.params[each.name]) for each in context.command.params if each.name in chosen]
        return shlex.join(str(word) for pair in sorted(pairs) for word in pair)
    text = context.params.get("text")
    if text is None or len(text) > _LONGEST_TEXT:
        return "TEXT"
    return ("-- " if text.startswith("-") else "") + shlex.quote(text)


def parse_dollars(option: str, amount: float | None) -> Decimal | None:
    """Return the US dollars that an option sets. Raises click.UsageError if they are not above 0."""
    if amount is not None and not 0 < amount < math.inf:
        raise click.UsageError(f"{option} {amount}: expected US dollars above 0")
    return None if amount is None else Decimal(str(amount))


def check_writable(path: Path) -> None:
    """Create a file's folder and check that it is writable. Raises click.FileError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from None
    if not os.access(path.parent, os.W_OK):
        raise click.FileError(str(path), "its folder is not writable")


def print_notes(*lines: str) -> None:
    """Print lines on stderr, apart from the results on stdout; empty ones are left out."""
    for line in lines:
        if line:
            click.echo(line, err=True)


def create_progress(length: int, label: str, done: int = 0) -> ProgressBar[int]:
    """Return a progress bar with the time left, on stderr; hidden unless that is a terminal."""
    bar = click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty(), show_eta=True)
    bar.update(done)
    return bar


class TrainingBars(ExitStack):
    """A progress bar for the training of each score; pass it to `publish` as `watch`."""

    score = ""

    def __call__(self, score: str, done: int, total: int) -> None:
        """Move the score's bar; the bar of the score before it is finished."""
        if score != self.score:
            self.close()
            self.score, self.bar = score, self.enter_context(create_progress(total, f"training {score}"))
        self.bar.update(done - self.bar.pos)
