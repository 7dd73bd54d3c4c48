"""Read items or job ids from a table (CSV, JSON, Excel, Parquet); all invalid rows are reported at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handler import attribute_values

from ..console.errors import OperationFailed

JOB = "scoring_job_id"
MOST_PROBLEMS = 20
Row = tuple[int, dict[str, object]]


@dataclass(frozen=True)
class Columns:
    """The columns of texts and ids, by name or number, and the layout of the table, as for `open_table`."""

    text: str = "text"
    id: str = "id"
    layout: Mapping[str, str | None] = field(default_factory=dict)


COLUMNS = Columns()


@dataclass(frozen=True)
class Item:
    """A text to score; `metadata` holds the file's other columns, the id among them, as JSON values."""

    id: str
    text: str
    metadata: Mapping[str, object] = field(default_factory=dict)


def read_rows(path: Path, columns: Columns = COLUMNS, say: Callable[[str], object] = lambda _: None) -> list[Row]:
    """Return the table's rows, numbered from 1; OperationFailed if it cannot be read or has none.

    `say` is called with a line about what was detected, unless the table is as usual.
    """
    from plexus.exceptions import InvalidData
    from plexus.tables import open_table

    try:
        with open_table(path, [columns.text, columns.id, JOB], **columns.layout) as table:
            rows = [(number, dict(row)) for number, row in table.read_rows()]
            if table.notice:
                say(f"{table.name}: {table.notice}")
    except (InvalidData, OSError) as error:
        raise OperationFailed(str(error), "name a table: CSV, JSON, Excel or Parquet (make: FILE=…)") from None
    if not rows:
        raise OperationFailed(f"{path}: no rows", f"give it a column {columns.text!r}, and optionally {columns.id!r}")
    return rows


def names_jobs(rows: Iterable[Row], columns: Columns = COLUMNS) -> bool:
    """Return whether all rows have a job id and no text."""
    return all(JOB in row and columns.text not in row for _, row in rows)


def parse_items(path: Path, rows: Iterable[Row], columns: Columns = COLUMNS) -> list[Item]:
    """Return the rows' items; OperationFailed lists every row without a text or with a duplicate id.

    The default id is the file's name and the row's number.
    """
    from plexus import items as plexus_items
    from plexus.exceptions import InvalidData

    parsed: list[Item] = []
    problems: list[str] = []
    for number, row in rows:
        try:
            item = plexus_items.from_row({columns.text: None, **row}, columns.text)
            identity = plexus_items.as_text(row.get(columns.id)).strip() or f"{path.stem}-{number}"
            check_storable(item.metadata)
        except InvalidData as error:
            problems.append(f"row {number}: {error}")
            continue
        if not item.text or not item.text.strip():
            problems.append(f"row {number}: {columns.text}: got {item.text!r}, expected a text")
            continue
        parsed.append(Item(identity, item.text, item.metadata))
    problems += _duplicates(columns.id, (item.id for item in parsed))
    refuse(path, problems)
    return parsed


def check_storable(value: object, name: str = "", depth: int = 0) -> None:
    """Raise InvalidData for a value that DynamoDB would change or refuse: the worker would read another one.

    DynamoDB keeps 38 digits of a number, and rejects deep nesting; a record itself takes some of its levels. In the
    message `name` is the column, also of a nested value.
    """
    from plexus.exceptions import InvalidData

    if isinstance(value, (Mapping, list)) and depth >= attribute_values.DEEPEST:
        raise InvalidData(f"{name}: got more than {attribute_values.DEEPEST} levels of lists and maps")
    if isinstance(value, Mapping):
        for key, member in value.items():
            if not key:
                raise InvalidData(f"{name or 'the row'}: got a key without a name, which DynamoDB cannot store")
            check_storable(member, name or str(key), depth + 1)
    elif isinstance(value, list):
        for member in value:
            check_storable(member, name, depth + 1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and "N" not in attribute_values.encode(value):
        raise InvalidData(f"{name}: got a number that DynamoDB cannot store exactly, expected one of 38 digits")


def parse_jobs(path: Path, rows: Iterable[Row]) -> list[str]:
    """Return the rows' job ids; OperationFailed lists every row without one and every duplicate."""
    named = [(number, str(row.get(JOB) or "").strip()) for number, row in rows]
    problems = [f"row {number}: {JOB} is missing" for number, identity in named if not identity]
    refuse(path, problems + _duplicates(JOB, (identity for _, identity in named if identity)))
    return [identity for _, identity in named]


def read_items(path: Path) -> list[Item]:
    """Return the items of a file; raises as `read_rows` and `items` do."""
    return parse_items(path, read_rows(path))


def _duplicates(name: str, values: Iterable[str]) -> list[str]:
    counts = Counter(values)
    return [f"{name} {value} is in {count} rows" for value, count in counts.items() if count > 1]


def refuse(path: Path, problems: list[str]) -> None:
    """Raise OperationFailed that lists the problems of a table's rows, if there are any."""
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems[:MOST_PROBLEMS])
        more = f"\n  - and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        raise OperationFailed(f"{path}: invalid rows:{listed}{more}", "correct the rows; nothing was sent")
