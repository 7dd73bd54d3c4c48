"""Tables for a terminal: every column keeps its width but the last, which is truncated or folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .text import escape_controls

if TYPE_CHECKING:
    from rich.table import Table


def create_grid(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
    cut: bool = True,
) -> Table:
    """Return a table of plain text; the last column is truncated at the terminal's edge, or folded without `cut`.

    Every row has as many cells as `names`. `right` names the columns to align right. Control characters in names and
    cells are escaped, and markup is not interpreted.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names[:-1]:
        table.add_column(name, no_wrap=True, justify="right" if name in right else "left")

    def last_cell(word: str) -> Text:
        return Text(escape_controls(word), no_wrap=cut, overflow="ellipsis" if cut else "fold")

    table.add_column(last_cell(names[-1]))
    for *words, last in rows:
        table.add_row(*map(Text, map(escape_controls, words)), last_cell(last))
    return table
