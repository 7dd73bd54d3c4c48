"""List the results in the stage's tables.

score-processor results [--scorecard KEY] [--score NAME] [--since 2h] [--csv]
"""

from __future__ import annotations

import csv
import sys
from typing import Any

import click

from .command.shell import Shell
from .command.verb import verb
from .console.options import parse_timestamp_since
from .console.output import to_json_types
from .console.tables import create_grid
from .console.text import escape_controls, pluralize
from .jobs import results

MOST_ROWS = 50
COLUMNS = ("createdAt", "item", "score", "value", "confidence", "explanation")
CSV_COLUMNS = (*COLUMNS, "cost", "scoringJobId", "id", "scoreVersionId", "configurationHash", "engineVersion", "model")


def _render(records: list[dict[str, Any]], shell: Shell) -> None:
    shell.console.print(create_grid(COLUMNS, ([_cell(record.get(name)) for name in COLUMNS] for record in records)))


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _write_csv(records: list[dict[str, Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    priced = (record | {"cost": results.compute_total_cost(record)} for record in records)
    writer.writerows([escape_csv_cell(to_json_types(record.get(name))) for name in CSV_COLUMNS] for record in priced)


def escape_csv_cell(value: Any) -> Any:
    """Return a CSV cell without formula injection: a text that starts like a formula gets an apostrophe."""
    if not isinstance(value, str):
        return value
    from plexus.tables.output import guard

    return guard(escape_controls(value))


@verb(render=_render)
@click.option("--scorecard", default="", help="Only results of this scorecard (key, name or id).")
@click.option("--score", default="", help="Only results of this score (key, name or id).")
@click.option("--since", default="", help="Only results since 10m, 2h, 1d ago, or an ISO 8601 time.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="Number of newest results; 0: all.  [default: 50; all with --csv or --json]",
)
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="Print CSV and nothing else. Text that starts like a formula is prefixed with '.",
)
def main(
    shell: Shell, scorecard: str, score: str, since: str, limit: int | None, as_csv: bool
) -> list[dict[str, Any]] | None:
    """List the newest ScoreResults of the stage's scorecards, newest last.

    They are found by an index: DynamoDB bills the reads of what is listed, not of the whole table.
    """
    start = parse_timestamp_since(since)
    lists_all = shell.as_json or as_csv
    newest = limit if limit is not None else 0 if lists_all else MOST_ROWS
    with shell.count("reading", None) as done:
        rows = results.read(shell.aws, scorecard, score, start, limit=newest, done=done)
    named = results.with_names(shell.aws, rows)
    if as_csv:
        _write_csv(named)
        return None
    if not lists_all:
        which = f"the newest {len(rows)}" if len(rows) == newest else "all"
        shell.say(f"{pluralize(len(rows), 'result')}: {which}, in the order of their times, the newest last")
    return named
