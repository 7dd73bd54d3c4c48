"""The results that the stage's tables hold: a table for people, CSV or JSON.

python -m scripts.results [--scorecard KEY] [--score NAME] [--since 2h] [--csv]
"""

from __future__ import annotations

import csv
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from . import _results
from ._command import Shell, plain, verb
from ._counting import counting
from ._grid import grid
from ._text import printable
from .logs import parse_since

SHOWN = 50
COLUMNS = ("createdAt", "item", "score", "value", "confidence", "explanation")
CSV_COLUMNS = (*COLUMNS, "cost", "scoringJobId", "id", "scoreVersionId", "configurationHash", "engineVersion", "model")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def _render(found: list[dict[str, Any]], shell: Shell) -> None:
    shell.console.print(grid(COLUMNS, ([_shown(record.get(name)) for name in COLUMNS] for record in found)))


def _shown(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _write_csv(found: list[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_cell(plain(record.get(name))) for name in CSV_COLUMNS] for record in found)


def _cell(value: Any) -> Any:
    """A value for a spreadsheet, which must not take a text for a formula; a number with its sign is none."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not _NUMBER.fullmatch(text) else text


def _from(since: str) -> str:
    start = datetime.fromtimestamp(parse_since(since, time.time()) / 1000, UTC)
    return start.isoformat(timespec="milliseconds").replace("+00:00", "Z")  # as the worker writes them


@verb(render=_render)
@click.option("--scorecard", default="", help="Only this scorecard's: its key, name or id.")
@click.option("--score", default="", help="Only this score's: its key, name or id.")
@click.option("--since", default="", help="Only from then on: 10m, 2h, 1d ago, or a time.")
@click.option("--limit", type=click.IntRange(min=0), help="The newest so many, 0 for all.  [default: 50, else all]")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print CSV, and nothing else. A text like a formula gets a ' before it.",
)
def main(
    shell: Shell, scorecard: str, score: str, since: str, limit: int | None, as_csv: bool
) -> list[dict[str, Any]] | None:
    """Show the ScoreResults, the newest last. The table is read whole: DynamoDB bills a read of all its records."""
    start = _from(since) if since else ""
    with counting("reading", None, silent=shell.as_json) as done:
        found = _results.read(shell.aws, scorecard, score, start, done)
    whole = shell.as_json or as_csv
    newest = limit if limit is not None else 0 if whole else SHOWN
    chosen = _results.named(shell.aws, found[-newest:])
    if as_csv:
        _write_csv(chosen)
        return None
    if not whole:
        shell.say(f"{len(found)} results" + (f", the newest {newest}" if len(chosen) < len(found) else ""))
    return chosen


if __name__ == "__main__":
    main()
