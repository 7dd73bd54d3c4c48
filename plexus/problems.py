"""Problems of a scorecard, each with its place in the YAML."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

#: Keys and zero-based indexes that lead from the top of the YAML to a value: `("scores", 0, "name")`.
KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text; `line` and `column` start at 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Problem:
    """A problem with its place, printed as `file:line:column: message (at path)`.

    `severity` is "error" (the scorecard does not load) or "warning". `rule` names the lint rule that failed; every
    rule is listed in `plexus.lint.RULES`.
    """

    file: str
    position: Position
    message: str
    path: KeyPath = ()
    severity: str = "error"
    rule: str = "schema"

    def __str__(self) -> str:
        where = f"{self.file}:{self.position.line}:{self.position.column}"
        mark = "" if self.severity == "error" else f"{self.severity}: "
        return f"{where}: {mark}{self.message}" + (f" (at {format_path(self.path)})" if self.path else "")


@dataclass(frozen=True)
class Finding:
    """A problem before its line and column are known; `on_key` selects the key's position over the value's."""

    path: KeyPath
    message: str
    severity: str = "error"
    rule: str = "schema"
    on_key: bool = False


def format_path(path: KeyPath) -> str:
    """Format a path as people write it: `scores[0].graph[1].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: `1 item`, `3 items`. Only nouns whose plural adds an s."""
    return f"{count} {noun}{'s' * (count != 1)}"


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known name most like `name`, or an empty string if none is close.

    The same words in another order count as close: `Refund Mentions` suggests `Mentions Refund`. Case is ignored.
    """
    folded = {candidate.casefold(): candidate for candidate in known}
    reordered = [candidate for candidate in folded if _sort_words(candidate) == _sort_words(name.casefold())]
    close = reordered or difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""


def _sort_words(name: str) -> list[str]:
    return sorted(name.replace("_", " ").replace("-", " ").split())
