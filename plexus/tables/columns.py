"""Values of a table's columns: texts, ids, items."""

from __future__ import annotations

from collections.abc import Iterable

from plexus import items
from plexus.exceptions import InvalidData
from plexus.problems import suggest
from plexus.tables.table import Row, Table
from plexus.values import Item


def as_text(table: Table, number: int, row: Row, name: str) -> str:
    """Return a row's value in a column as `items.as_text` does. Raises InvalidData that names row and column.

    For a column that does not exist, the error lists those that do.
    """
    if name not in row:
        known = [str(key) for key in row]
        raise InvalidData(
            f"{table.name}: row {number} has no column {name!r}{suggest(name, known)}; columns: {', '.join(known)}"
            + (table.hint if number == 1 and not name.isdecimal() else "")
        )
    if row[name] is None:
        table.check_formulas([name])
    try:
        return items.as_text(row[name])
    except InvalidData as error:
        raise InvalidData(f"{table.name}: row {number}: column {name!r}: {error}") from None


def as_item(table: Table, number: int, row: Row, text: str, excluding: Iterable[str] = ()) -> Item:
    """Return a row's item as `items.from_row` does. Raises InvalidData that names the row.

    `excluding` are columns that do not become metadata.
    """
    as_text(table, number, row, text)
    try:
        return items.from_row(row, text, excluding)
    except InvalidData as error:
        raise InvalidData(f"{table.name}: row {number}: {error}") from None
