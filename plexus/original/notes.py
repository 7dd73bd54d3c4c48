"""What a translation changed, each with its place in the document that was translated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from plexus.document import Document
from plexus.problems import KeyPath, Position

#: `renamed`: means the same. `changed`: works, with another meaning. `dropped`: has no effect on scoring here.
#: `unknown`: a key that no class has. `unsupported`: has no counterpart, so that the scorecard does not load.
Kind = Literal["renamed", "changed", "dropped", "unknown", "unsupported"]


@dataclass(frozen=True)
class Note:
    """A remark about the value at `path` in the original document; `line` is one of the value's own lines, from 1."""

    kind: Kind
    path: KeyPath
    message: str
    line: int = 0

    def locate(self, document: Document) -> Position:
        """Return where the remark's value is; a line of code in a block scalar has its own line of the file."""
        position = document.find_position(self.path)
        lines = document.text.splitlines()
        begin = lines[position.line - 1][position.column - 1 :] if position.line <= len(lines) else ""
        line = position.line + self.line
        if not self.line or not begin.startswith("|") or line > len(lines):
            return position
        return Position(line, len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1)


@dataclass
class Notes:
    """The notes of one translation, in the order of the document; `at` returns a view below a path."""

    path: KeyPath = ()
    listed: list[Note] = field(default_factory=list)

    def at(self, *parts: int | str) -> Notes:
        """Return notes that are added to the same list, with paths below this one's."""
        return Notes((*self.path, *parts), self.listed)

    def add(self, kind: Kind, message: str, *parts: int | str, line: int = 0) -> None:
        """Append a note about the value at `parts` below this path, and about one of its lines if it has many."""
        self.listed.append(Note(kind, (*self.path, *parts), message, line))
