"""Items, or jobs that exist, from a CSV, JSONL or Parquet file; every row that is not one is told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._errors import OperationFailed

TEXT, ID, JOB = "text", "id", "scoring_job_id"
SHOWN = 20
Row = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Item:
    """One text to score; `fields` are the file's other columns, labels for example."""

    id: str
    text: str
    fields: dict[str, str] = field(default_factory=dict)


def read_rows(path: Path) -> list[Row]:
    """Return the file's rows, numbered from 1; OperationFailed, with the line, for what is not a row."""
    from plexus import data
    from plexus.exceptions import InvalidData

    try:
        rows = [(number, dict(row)) for number, row in enumerate(data.rows(path), start=1)]
    except (InvalidData, OSError) as error:
        raise OperationFailed(str(error), "name a CSV, JSONL or Parquet file (make: FILE=…)") from None
    if not rows:
        raise OperationFailed(f"{path}: no rows", "a column `text`, and `id` where there are ids")
    return rows


def names_jobs(rows: Iterable[Row]) -> bool:
    """Whether the rows name jobs that exist, and hold no texts."""
    return all(JOB in row and TEXT not in row for _, row in rows)


def items(path: Path, rows: Iterable[Row]) -> list[Item]:
    """Return the rows' items; OperationFailed names every row that has no text or another's id.

    A row without an id gets the file's name and the row's number for one.
    """
    found: list[Item] = []
    problems: list[str] = []
    for number, row in rows:
        text = row.pop(TEXT, None)
        if not isinstance(text, str) or not text.strip():
            problems.append(f"row {number}: no {TEXT}" + ("" if text is None else f" but {text!r}"))
            continue
        identity = str(row.pop(ID, None) or f"{path.stem}-{number}")
        found.append(Item(identity, text, {name: str(value) for name, value in row.items() if value is not None}))
    problems += _repeated(ID, (item.id for item in found))
    _refuse(path, problems)
    return found


def jobs(path: Path, rows: Iterable[Row]) -> list[str]:
    """Return the ids of jobs that the rows name, each once; OperationFailed names every row without one."""
    named = [(number, str(row.get(JOB) or "").strip()) for number, row in rows]
    problems = [f"row {number}: no {JOB}" for number, identity in named if not identity]
    _refuse(path, problems + _repeated(JOB, (identity for _, identity in named if identity)))
    return [identity for _, identity in named]


def read_items(path: Path) -> list[Item]:
    """Return the items of a file, or raise as `read_rows` and `items` do."""
    return items(path, read_rows(path))


def _repeated(name: str, values: Iterable[str]) -> list[str]:
    counts = Counter(values)
    return [f"the {name} {value} stands in {count} rows" for value, count in counts.items() if count > 1]


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems[:SHOWN])
        more = f"\n  - and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise OperationFailed(f"{path} cannot be sent:{listed}{more}", "correct the rows; nothing was sent")
