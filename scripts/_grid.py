"""Tables for a terminal: columns keep their width, and only the last gives way to the terminal's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ._text import printable

if TYPE_CHECKING:
    from rich.table import Table


def grid(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    right: Sequence[str] = (),
    cut: bool = True,
) -> Table:
    """A table of plain words. Where the terminal ends the last column is cut with …, or folded without `cut`."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in names[:-1]:
        table.add_column(name, no_wrap=True, justify="right" if name in right else "left")

    def giving_way(word: str) -> Text:
        return Text(printable(word), no_wrap=cut, overflow="ellipsis" if cut else "fold")

    table.add_column(giving_way(names[-1]))
    for *words, last in rows:
        table.add_row(*map(Text, map(printable, words)), giving_way(last))
    return table
