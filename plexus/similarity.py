"""The passage of a text that is most like a phrase, misspelt words included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from plexus.text import fold

_WORD = re.compile(r"\S+")
#: Longer phrases are compared as whole windows only, so that the work stays proportional to the text.
_SLACK = 1


@dataclass(frozen=True, slots=True)
class Likeness:
    """A passage as it stands in the text (character offsets, end exclusive); `similarity` is in 0–1."""

    text: str
    start: int
    end: int
    similarity: float


def most_like(text: str, phrase: str, threshold: float = 0.0) -> Likeness | None:
    """The passage of whole words that is most like the phrase, the first of equals; None below the threshold."""
    wanted = _bare(phrase)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    best: Likeness | None = None
    for start, end in _windows(text, len(wanted.split())):
        least = threshold if best is None else best.similarity
        found = _similarity(matcher, _bare(text[start:end]), wanted, least)
        if found >= threshold and (best is None or found > best.similarity):
            best = Likeness(text[start:end], start, end, round(found, 4))
            if found == 1:
                break
    return best


def _bare(passage: str) -> str:
    """Folded, and without the marks around it, unless it is nothing else."""
    folded = fold(passage)
    return folded.strip(".,;:!?\"'()") or folded


def _windows(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Spans of as many words as the phrase has, one fewer and one more (words may be split or joined)."""
    spans = [match.span() for match in _WORD.finditer(text)]
    sizes = dict.fromkeys((size, max(1, size - _SLACK), size + _SLACK))
    for index in range(len(spans)):
        for length in sizes:
            if index + length <= len(spans):
                yield spans[index][0], spans[index + length - 1][1]


def _similarity(matcher: SequenceMatcher[str], given: str, wanted: str, least: float) -> float:
    """Twice the number of equal characters by the length of both; 0 as soon as it cannot reach `least`."""
    if given == wanted:
        return 1.0
    matcher.set_seq1(given)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    return matcher.ratio()
