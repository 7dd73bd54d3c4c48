"""Where a text's sentences are."""

from __future__ import annotations

import re

# A sentence ends with its marks (and quotes or brackets that close it) before white space, or with its line.
_SENTENCE = re.compile(r"[^\s].*?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|$)", re.MULTILINE)
_ABBREVIATION = re.compile(r"\b(?:[Mm]rs?|[Mm]s|[Dd]r|[Ss]t|vs|e\.g|i\.e|approx|[A-HJ-Z])\.$")


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans (character offsets, end exclusive) in order; a line is never joined with the next."""
    spans: list[tuple[int, int]] = []
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        if spans and _continues(text, spans[-1], start):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _continues(text: str, before: tuple[int, int], start: int) -> bool:
    """Whether what looked like an end was the full stop of `Mr.` or of an initial."""
    return "\n" not in text[before[1] : start] and bool(_ABBREVIATION.search(text[before[0] : before[1]]))
