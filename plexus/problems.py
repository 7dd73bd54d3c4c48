"""One thing that is wrong with a scorecard, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

#: Keys and indexes that lead from the top of the YAML to a value.
Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text; both numbers start at 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """`severity` is "error" (the scorecard cannot be used) or "warning"; `rule` names the check that found it."""

    file: str
    position: Position
    message: str
    path: Path = ()
    severity: str = "error"
    rule: str = "schema"

    def __str__(self) -> str:
        where = f"{self.file}:{self.position.line}:{self.position.column}"
        mark = "" if self.severity == "error" else f"{self.severity}: "
        return f"{where}: {mark}{self.message}" + (f" (at {dotted(self.path)})" if self.path else "")


@dataclass(frozen=True)
class Finding:
    """What a check found at a path, before its line is known; `on_key` points at the key rather than the value."""

    path: Path
    message: str
    severity: str = "error"
    rule: str = "schema"
    on_key: bool = False


def dotted(path: Path) -> str:
    """The path as people write it: `scores[0].graph[1].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for a likely typo of a known name, or its words in another order, else an empty string."""
    folded = {candidate.casefold(): candidate for candidate in known}
    turned = [each for each in folded if _words(each) == _words(name.casefold())]
    close = turned or difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def _words(name: str) -> list[str]:
    return sorted(name.replace("_", " ").replace("-", " ").split())
