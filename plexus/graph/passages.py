"""Finding quoted passages in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from plexus import patterns

_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


@dataclass(frozen=True)
class Passage:
    """A piece of a text as it stands there; offsets in characters, end exclusive, -1 where it has no place."""

    text: str
    start: int
    end: int


def find_verbatim(text: str, quoted: str) -> Passage | None:
    """Where the text says this, whatever the case, the white space and the shape of quotes and dashes.

    In whole words: of `The part` the passage `he` is none, nor is `art`.
    """
    parts = [re.escape(part) for part in quoted.translate(_SAME).split()]
    pattern, same = re.compile(r"\s+".join(parts), re.IGNORECASE), text.translate(_SAME)
    found = pattern.search(same) if parts else None
    while found and not patterns.whole(text, *found.span()):
        found = pattern.search(same, found.start() + 1)
    return None if found is None else Passage(text[found.start() : found.end()], found.start(), found.end())
