"""What a translation changed, each with its place in the document that was translated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from plexus.problems import KeyPath

#: `renamed`: means the same. `changed`: works, with another meaning. `dropped`: has no effect on scoring here.
#: `unsupported`: has no counterpart, so that the scorecard does not load.
Kind = Literal["renamed", "changed", "dropped", "unsupported"]


@dataclass(frozen=True)
class Note:
    """A remark about the value at `path` in the original document."""

    kind: Kind
    path: KeyPath
    message: str


@dataclass
class Notes:
    """The notes of one translation, in the order of the document; `at` returns a view below a path."""

    path: KeyPath = ()
    listed: list[Note] = field(default_factory=list)

    def at(self, *parts: int | str) -> Notes:
        """Return notes that are added to the same list, with paths below this one's."""
        return Notes((*self.path, *parts), self.listed)

    def add(self, kind: Kind, message: str, *parts: int | str) -> None:
        """Append a note about the value at `parts` below this path."""
        self.listed.append(Note(kind, (*self.path, *parts), message))
