"""Where a text's sentences are."""

from __future__ import annotations

import re

# A sentence ends with its marks (and quotes or brackets that close it) before white space, or with its line. A row of
# marks is tried from its first one only, and never in part: the time stays proportional to the text.
_CLOSING = r"[\"'”’)\]]*+(?=\s|$)"
_SENTENCE = re.compile(
    rf"[.!?…]{{2,}}+{_CLOSING}|[^\s].*?(?:(?<![.!?…])[.!?…]++{_CLOSING}|$)",
    re.MULTILINE,
)
_LONGEST = 10  # characters that an abbreviation may have
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
    return "\n" not in text[before[1] : start] and bool(
        _ABBREVIATION.search(text, max(before[0], before[1] - _LONGEST), before[1])
    )
