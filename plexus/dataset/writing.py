"""Write rows of a table as a table of any format, with the cells as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plexus import items
from plexus.exceptions import InvalidData
from plexus.tables import Row, Table, output

#: Returns the cells of a row that are written in place of its own, or None to leave the row out.
Change = Callable[[int], Mapping[str, object] | None]


@dataclass
class Writer:
    """Writes rows of one table to files. `columns` maps each column of the table to its name in the files.

    After writing, `guarded` has the row (from 1) and the column of each cell of CSV files that got an apostrophe,
    because it begins like a formula, and `damaged` those whose control characters were replaced.
    """

    table: Table
    columns: Mapping[str, str]
    guarded: list[tuple[int, str]] = field(default_factory=list, init=False)
    damaged: list[tuple[int, str]] = field(default_factory=list, init=False)

    def write(self, path: Path, form: str, change: Change) -> int:
        """Write the rows that `change` does not leave out, in order, complete or not at all; return their number.

        The file's folder is created. Raises InvalidData if it cannot be, if two columns have one name, or if Excel has
        no room for a text or a row.
        """
        names = list(self.columns.values())
        repeated = sorted({repr(name) for name in names if names.count(name) > 1})
        if repeated:
            raise InvalidData(f"{path}: two columns would be named {', '.join(repeated)}; expected unique names")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidData(f"{path}: its folder cannot be created: {error.strerror}") from None
        self._count, self._form = 0, form
        kinds = self._find_types(change) if form == "parquet" else dict.fromkeys(names, str)
        is_typed = form in ("parquet", "xlsx")
        rows = self._read_rows(change, typed=is_typed)
        output.write_file(path, form, kinds, rows, map(json.dumps, self._read_rows(change, typed=None)))
        return self._count

    def _read_rows(self, change: Change, typed: bool | None = False) -> Iterator[dict[str, object]]:
        """Yield rows by their names in the file: as JSON (`typed` None), with numbers (True), or all as texts."""
        for number, row in self.table.read_rows():
            cells = change(number)
            if cells is not None:
                self._count += 1
                values = {
                    new: _format_cell(self._get_cell(row, cells, old), typed) for old, new in self.columns.items()
                }
                output.check_cells(self._form, number, values)
                if typed is False:
                    damaged = {name for name, value in values.items() if output.has_controls(value)}
                    self.damaged += [(number, name) for name in values if name in damaged]
                    changed = (name for name, value in values.items() if output.guard(value) != value)
                    self.guarded += [(number, name) for name in changed if name not in damaged]
                yield values

    @staticmethod
    def _get_cell(row: Row, cells: Mapping[str, object], name: str) -> object:
        return cells[name] if name in cells else row.get(name)

    def _find_types(self, change: Change) -> dict[str, type]:
        """Return the narrowest type that has all values of a column exactly: int, float or str."""
        kinds: dict[str, set[type]] = {}
        for row in self._read_rows(change, typed=True):
            for name, value in row.items():
                if value is not None:
                    kinds[name] = kinds.get(name, {int, float}) & _list_exact_types(value)
        self._count = 0
        return {
            name: next((kind for kind in (int, float) if kind in kinds.get(name, ())), str)
            for name in self.columns.values()
        }


def _list_exact_types(value: object) -> set[type]:
    """Return which of a table's types, 64-bit int and float, have this number exactly; none for a text."""
    if isinstance(value, int):
        limits = {int: -(2**63) <= value < 2**63, float: abs(value) <= 2**53}
        return {kind for kind, is_exact in limits.items() if is_exact}
    return {float} if isinstance(value, float) else set()


def _format_cell(value: object, typed: bool | None) -> object:
    value = items.normalize(value)
    if typed is None:
        return value
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    if typed and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return None if value is None else str(value)


def check_outputs(paths: Sequence[Path], inputs: Sequence[Path], *, replace: bool) -> list[str]:
    """Check before the work that all files can be written, and return their formats.

    Raises InvalidData for a file with content unless `replace`, for one that is read, and for an unknown format.
    """
    forms = []
    for path in paths:
        forms.append(output.format_of(path, None))
        output.check_output(path, inputs)
        output.check_replaced(path, replace=replace)
    return forms
