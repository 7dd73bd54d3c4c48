"""Open the tables of `plexus data`: choose the columns to read, and print what was detected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypedDict, TypeVar

import click

from plexus.commands import options
from plexus.dataset.entries import Dataset, guess_columns, read
from plexus.dataset.writing import Writer
from plexus.evaluation.formats import shorten
from plexus.exceptions import require_packages
from plexus.problems import pluralize
from plexus.tables import Layout, Table, open_table
from plexus.tables.output import FORMATS

_Command = TypeVar("_Command", bound=Callable[..., object])
FILE = click.Path(path_type=Path, dir_okay=False)
_SAMPLE = 1000  # rows
_NAME_LENGTH = 40  # characters of a column's name
_PLACES = 5  # cells

table = click.argument("file", metavar="FILE", type=FILE)
seed = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the random choice.")
output = click.option(
    "--output", type=FILE, required=True, help="File to write: .csv, .tsv, .xlsx, .jsonl or .parquet."
)


class Columns(TypedDict):
    """The values of the options that `labelled_data` adds: columns of texts and labels, and the layout."""

    text_column: str
    label: str
    encoding: str | None
    sheet: str | None
    header_row: str | None


def select_layout(columns: Columns) -> Layout:
    """Return those of the values that say how the table is written."""
    return {"encoding": columns["encoding"], "sheet": columns["sheet"], "header_row": columns["header_row"]}


@dataclass(frozen=True)
class OpenTable:
    """A table with the columns that are read; `label` is None if there is no column of the default name."""

    table: Table
    text: str
    label: str | None

    def read(self) -> Dataset:
        """Read all of its entries. Raises InvalidData."""
        return read(self.table, self.text, self.label)


def labelled_data(function: _Command) -> _Command:
    """Add FILE, --text, --label and the options of the layout."""
    for option in (options.add_table_options, options.label, options.text_column, table):
        function = option(function)
    return function


@contextmanager
def open_dataset(file: Path, columns: Columns, extra: str | None = None, *, guess: bool = False) -> Iterator[OpenTable]:
    """Open a table, and print on stderr at the end what was detected. Raises InvalidData, MissingDependency.

    With `guess`, columns that are not named on the command line and do not exist are guessed; the guess is printed.
    """
    require_packages("evaluation", "plexus data", "numpy")
    wanted = [columns["text_column"], columns["label"], *([extra] if extra is not None else [])]
    with open_table(file, wanted, **select_layout(columns)) as source:
        names = {str(name) for _, row in islice(source.read_rows(_SAMPLE), _SAMPLE) for name in row}
        text = columns["text_column"]
        label = columns["label"] if columns["label"] in names or options.find_explicit("label") else None
        likely_text, likely_label = guess_columns(source) if guess and names else (text, label)
        if text not in names and not options.find_explicit("text_column"):
            text = likely_text
        if label is None and likely_label != text:
            label = likely_label
        if (text, label or columns["label"]) != (columns["text_column"], columns["label"]):
            chosen = f"texts in {shorten(text, _NAME_LENGTH)!r}" + (
                f", labels in {shorten(label, _NAME_LENGTH)!r}" if label else ""
            )
            options.print_notes(f"columns: guessed {chosen}. next: --text and --label choose others")
        yield OpenTable(source, text, label)
        if not guess:
            options.print_notes(source.notice and f"{source.name}: {source.notice}")


def read_other(path: Path, near: OpenTable, columns: Columns) -> Dataset:
    """Read the texts of another table: in the column of the same name, or else in `text`. Raises InvalidData."""
    with open_table(path, [near.text, "text"], encoding=columns["encoding"]) as source:
        names = {str(name) for _, row in source.read_rows(1) for name in row}
        return read(source, near.text if near.text in names else "text", None)


def format_like(file: Path) -> str:
    """Return the format of tables that are made of a file: its own if it can be written, else csv."""
    suffixes = [suffix.casefold().removeprefix(".") for suffix in file.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix in FORMATS), "csv")


def print_guarded(writer: Writer) -> None:
    """Print on stderr which cells of CSV files were changed, if any, and why."""
    for cells, change in (
        (writer.guarded, "changed, so that no spreadsheet runs them as formulas"),
        (writer.damaged, "with control characters, which became \N{REPLACEMENT CHARACTER}"),
    ):
        if cells:
            places = [f"row {row} {shorten(column, _NAME_LENGTH)!r}" for row, column in cells[:_PLACES]]
            more = ", …" if len(cells) > _PLACES else ""
            listed = f"{', '.join(places)}{more}. next: write .jsonl, which keeps them"
            options.print_notes(f"{pluralize(len(cells), 'cell')} {change}: {listed}")
