"""A table of texts: checked once before anything is scored, then read again row by row."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from plexus.exceptions import InvalidData
from plexus.tables import Table, as_item, as_text
from plexus.values import Item


@dataclass(frozen=True)
class TextRow:
    """A text; `number` counts the table's rows from 1, `id` is empty without an id column."""

    number: int
    id: str
    item: Item


@dataclass(frozen=True)
class TextFile:
    """A table that was checked: its columns of texts and ids, the number of its rows, and all of its columns."""

    table: Table
    text: str
    id: str | None
    rows: int
    columns: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, text: str, id_column: str | None) -> TextFile:
        """Check the whole table. Raises InvalidData for a missing column, a malformed row, or an empty or repeated id.

        Takes constant memory, plus one integer for each row if there is an id column.
        """
        count = 0
        rows_by_id: dict[int, int] = {}
        columns: dict[str, None] = {}
        for count, row in table.read_rows():
            as_item(table, count, row, text)
            columns.update(dict.fromkeys(map(str, row)))
            if id_column is not None:
                name = as_text(table, count, row, id_column).strip()
                if not name or rows_by_id.setdefault(hash(name), count) != count:
                    problem = "is empty" if not name else f"is repeated: rows {rows_by_id[hash(name)]} and {count}"
                    raise InvalidData(
                        f"{table.name}: row {count}: the {id_column!r} {name!r} {problem}; expected unique ids"
                    )
        if not count:
            raise InvalidData(f"{table.name}: got no rows, expected at least one")
        return cls(table, text, id_column, count, tuple(columns))

    def read(self, skipped: Container[int] = ()) -> Iterator[TextRow]:
        """Yield the rows whose numbers are not `skipped`; all columns but the text are the item's metadata."""
        for number, row in self.table.read_rows():
            if number not in skipped:
                name = as_text(self.table, number, row, self.id).strip() if self.id is not None else ""
                yield TextRow(number, name, as_item(self.table, number, row, self.text))
