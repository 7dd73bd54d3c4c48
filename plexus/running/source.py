"""The file of texts: looked through once before anything is scored, then read again row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plexus import data
from plexus.exceptions import InvalidData
from plexus.values import Item

BLOCK = 1 << 20


@dataclass(frozen=True)
class Row:
    """One text; `number` counts the file's rows from 1, `id` is the value of the column that names rows, or empty."""

    number: int
    id: str
    item: Item


@dataclass(frozen=True)
class Source:
    """A file whose columns are there: `rows` of them, and the SHA-256 in hex of its bytes."""

    path: Path
    text: str
    id: str | None
    rows: int
    sha256: str

    @classmethod
    def of(cls, path: Path, text: str, id_column: str | None) -> Source:
        """Reads all of the file. Raises InvalidData for a missing column, a broken row, or an id that comes twice."""
        count = 0
        seen: dict[int, int] = {}
        for count, row in enumerate(data.rows(path), start=1):
            data.as_text(row, text, path, count)
            if id_column is not None:
                name = data.as_text(row, id_column, path, count).strip()
                if not name or seen.setdefault(hash(name), count) != count:
                    said = "is empty" if not name else f"comes twice: rows {seen[hash(name)]} and {count}"
                    raise InvalidData(
                        f"{path}: the {id_column!r} {name!r} {said}; expected one of its own for each row"
                    )
        if not count:
            raise InvalidData(f"{path}: no rows")
        return cls(path, text, id_column, count, _sha256(path))

    def read(self, after: int = 0) -> Iterator[Row]:
        """The rows after the first so many; every other column is the item's metadata."""
        for number, row in enumerate(data.rows(self.path), start=1):
            if number > after:
                text = data.as_text(row, self.text, self.path, number)
                metadata = {str(key): value for key, value in row.items() if key != self.text}
                name = data.as_text(row, self.id, self.path, number).strip() if self.id is not None else ""
                yield Row(number, name, Item(text, metadata))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
