"""RelevantWindows: what stands around keywords."""

from __future__ import annotations

import re
from typing import Any

from plexus import patterns
from plexus.exceptions import ScoringFailed
from plexus.processors.step import Process, with_text
from plexus.processors.turns import turns
from plexus.sentences import sentences
from plexus.similarity import most_like
from plexus.values import Item

_WORD = re.compile(r"\S+")


def relevant_windows(configuration: Any) -> Process:
    """Units (sentences, words or turns) that hold a keyword, with those before and after; windows that touch join."""
    match = _fuzzy(configuration) if configuration.fuzzy else _exact(configuration)

    def process(item: Item) -> Item:
        text = item.text or ""
        units = _units(text, configuration.unit)
        hits = match(units)
        if not hits:
            if configuration.placeholder is None:
                raise ScoringFailed("the text holds none of the keywords, and there is no placeholder")
            return with_text(item, configuration.placeholder)
        spans = _windows(hits, len(units), configuration.before, configuration.after)
        joint = "\n" if configuration.unit == "turns" else " "
        pieces = [joint.join(units[first : last + 1]) for first, last in spans]
        return with_text(item, configuration.separator.join(pieces))

    return process


def _units(text: str, unit: str) -> list[str]:
    if unit == "words":
        return _WORD.findall(text)
    if unit == "turns":
        return [str(turn) for turn in turns(text)]
    return [text[start:end] for start, end in sentences(text)]


def _exact(configuration: Any) -> Any:
    """Whole words in any case. A phrase may span several units of one word, so words are looked for in the whole."""
    pattern = patterns.compiled(patterns.words(configuration.keywords))

    def match(units: list[str]) -> list[int]:
        joined = " ".join(units)
        starts, at = [], 0
        for unit in units:
            starts.append(at)
            at += len(unit) + 1
        spans = [found.span() for found in pattern.finditer(joined)]
        spans = [span for span in spans if patterns.whole(joined, *span)]
        return _touched([(start, start + len(unit)) for start, unit in zip(starts, units, strict=True)], spans)

    return match


def _touched(units: list[tuple[int, int]], spans: list[tuple[int, int]]) -> list[int]:
    """Which units a span touches; both in their order, so that one pass is enough."""
    found, at = [], 0
    for index, (start, end) in enumerate(units):
        while at < len(spans) and spans[at][1] <= start:
            at += 1
        if at < len(spans) and spans[at][0] < end:
            found.append(index)
    return found


def _fuzzy(configuration: Any) -> Any:
    threshold = configuration.fuzzy_threshold

    def match(units: list[str]) -> list[int]:
        found = set()
        for phrase in configuration.keywords:
            size = len(phrase.split()) if configuration.unit == "words" else 1
            for index in range(len(units) - size + 1):
                if most_like(" ".join(units[index : index + size]), phrase, threshold) is not None:
                    found |= set(range(index, index + size))
        return sorted(found)

    return match


def _windows(hits: list[int], count: int, before: int, after: int) -> list[tuple[int, int]]:
    """Inclusive (first, last) units."""
    spans: list[tuple[int, int]] = []
    for hit in hits:
        first, last = max(0, hit - before), min(count - 1, hit + after)
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans
