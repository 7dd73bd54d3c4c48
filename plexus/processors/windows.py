"""RelevantWindows: the text around keywords."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from plexus import patterns
from plexus.exceptions import ScoringFailed
from plexus.passages import find_sentences, find_similar, has_similar_part
from plexus.processors.transcripts import split_turns
from plexus.values import Item

if TYPE_CHECKING:
    from plexus.configuration.processors import RelevantWindows

#: Units of a text → the indexes of those that contain a keyword, in order.
Matcher: TypeAlias = Callable[[list[str]], list[int]]
_WORD = re.compile(r"\S+")


def create_window_filter(configuration: RelevantWindows) -> Callable[[Item], str]:
    """Create the processor that keeps the units of the text with a keyword, and their neighbours.

    Touching windows are joined. A text without a keyword becomes the placeholder; without one, the processor raises
    ScoringFailed.
    """
    match = _create_fuzzy_matcher(configuration) if configuration.fuzzy else _create_exact_matcher(configuration)

    def process(item: Item) -> str:
        text = item.text or ""
        units = _split_units(text, configuration.unit)
        hits = match(units)
        if not hits:
            if configuration.placeholder is None:
                raise ScoringFailed("the text contains none of the keywords, and there is no placeholder")
            return configuration.placeholder
        spans = _join_windows(hits, len(units), configuration.before, configuration.after)
        joint = "\n" if configuration.unit in ("turns", "lines") else " "
        pieces = [joint.join(units[first : last + 1]) for first, last in spans]
        if not configuration.edges:
            return configuration.separator.join(pieces)
        # A blank piece at an end where units are omitted: the separator stands there too.
        pieces = [*[""] * (spans[0][0] > 0), *pieces, *[""] * (spans[-1][1] < len(units) - 1)]
        return configuration.separator.join(pieces).strip()

    return process


def _split_units(text: str, unit: str) -> list[str]:
    if unit == "words":
        return _WORD.findall(text)
    if unit == "lines":
        return text.split("\n")
    if unit == "turns":
        return [str(turn) for turn in split_turns(text)]
    return [text[start:end] for start, end in find_sentences(text)]


def _create_exact_matcher(configuration: RelevantWindows) -> Matcher:
    """Match parts of a unit, or whole words: of these, a phrase may span units, so the whole text is searched."""
    sensitive = configuration.case_sensitive
    if not configuration.whole_words:
        fold: Callable[[str], str] = str if sensitive else str.lower
        words = [fold(keyword) for keyword in configuration.keywords]
        return lambda units: [
            place for place, unit in enumerate(map(fold, units)) if any(word in unit for word in words)
        ]
    phrases = patterns.join_phrases(configuration.keywords, case_sensitive=sensitive)
    pattern = patterns.compile_pattern(phrases, case_sensitive=sensitive)

    def match(units: list[str]) -> list[int]:
        text = " ".join(units)
        starts, at = [], 0
        for unit in units:
            starts.append(at)
            at += len(unit) + 1
        spans = patterns.find_phrases(pattern, text, case_sensitive=sensitive)
        return _find_touched([(start, start + len(unit)) for start, unit in zip(starts, units, strict=True)], spans)

    return match


def _find_touched(units: list[tuple[int, int]], spans: list[tuple[int, int]]) -> list[int]:
    """Return the indexes of the units that a span touches; both are in text order, so one pass is enough."""
    indexes, at = [], 0
    for index, (start, end) in enumerate(units):
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        if at < len(spans) and spans[at][0] < end:
            indexes.append(index)
    return indexes


def _create_fuzzy_matcher(configuration: RelevantWindows) -> Matcher:
    threshold = configuration.fuzzy_threshold
    if not configuration.whole_words:
        fold: Callable[[str], str] = str if configuration.case_sensitive else str.lower
        words = [fold(keyword) for keyword in configuration.keywords]
        return lambda units: [
            place
            for place, unit in enumerate(map(fold, units))
            if any(has_similar_part(word, unit, threshold) for word in words)
        ]

    def match(units: list[str]) -> list[int]:
        indexes: set[int] = set()
        for phrase in configuration.keywords:
            # A unit of one word matches no longer phrase: as many units as the phrase has words are compared.
            size = len(phrase.split()) if configuration.unit == "words" else 1
            for index in range(len(units) - size + 1):
                if find_similar(" ".join(units[index : index + size]), phrase, threshold) is not None:
                    indexes |= set(range(index, index + size))
        return sorted(indexes)

    return match


def _join_windows(hits: list[int], count: int, before: int, after: int) -> list[tuple[int, int]]:
    """Return (first, last) units of each window, both inclusive."""
    spans: list[tuple[int, int]] = []
    for hit in hits:
        first, last = max(0, hit - before), min(count - 1, hit + after)
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans
