"""Reads an HTML page as a person would: its tables by their captions, its anchors, its plots."""

from __future__ import annotations

import html.parser
from dataclasses import dataclass, field

VOID = frozenset({"meta", "link", "br", "img", "input"})


@dataclass
class Table:
    """A table: its caption, and its rows of cells' texts."""

    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)


class Page(html.parser.HTMLParser):
    """Tags, attributes and tables of a page; every tag that is not void must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.tables: list[Table] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the tag and begins a table, a row or a cell."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append(Table())
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")
        elif tag == "small" and "table" in self.open:
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Every tag closes the last one that is open."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text goes to the caption or the cell that is open."""
        if self.open and self.open[-1] in ("style", "title", "script"):
            return
        self.texts.append(data)
        if "caption" in self.open:
            self.tables[-1].caption += data
        elif "td" in self.open or "th" in self.open:
            self.tables[-1].rows[-1][-1] += data

    def table(self, caption: str) -> list[list[str]]:
        """Return the rows of the only table whose caption begins so, white space made one."""
        (results,) = [each for each in self.tables if each.caption.strip().startswith(caption)]
        return [[" ".join(cell.split()) for cell in row] for row in results.rows]

    def attributes(self, *names: str) -> list[str]:
        """Return the values of these attributes, wherever they stand."""
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in names]

    def find_tags(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of each tag of that name."""
        return [attrs for each, attrs in self.tags if each == tag]
