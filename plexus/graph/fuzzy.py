"""Fuzzy matches: the texts that a node searches, and how a phrase is compared with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from plexus.configuration.graph import FuzzyTarget
from plexus.graph.references import Reference
from plexus.language.operators import MAXIMUM_LENGTH
from plexus.passages import SimilarPassage, compare_whole, find_similar
from plexus.text import fold

#: One part of a path, with the members of a list that it names: `schools`, `schools[]`, `schools[0]`.
_PART = re.compile(r"(?P<key>[^\[\]]+)(?:\[(?P<index>\d*)\])?")
_MARKS = re.compile(r"[^\w\s]|_")


def read_texts(source: str | list[str], values: Mapping[str, object]) -> list[str]:
    """Return the texts to search: one field, or the values of all paths that exist, each a text of its own.

    Raises ScoringFailed if the one field has no value.
    """
    if isinstance(source, str):
        return [str(Reference(tuple(source.split("."))).find(values))]
    return [str(value) for path in source for value in _follow(values, path.split(".")) if value is not None]


def _follow(owner: object, parts: list[str]) -> Iterator[object]:
    if not parts:
        yield from owner if isinstance(owner, list) else [owner]
        return
    match = _PART.fullmatch(parts[0])
    if match is None or not isinstance(owner, Mapping) or match["key"] not in owner:
        return
    value, index = owner[match["key"]], match["index"]
    if index is None:
        yield from _follow(value, parts[1:])
    elif isinstance(value, list):
        for member in value if index == "" else value[int(index) : int(index) + 1]:
            yield from _follow(member, parts[1:])


def find_target(target: FuzzyTarget, texts: list[str]) -> SimilarPassage | None:
    """Return the passage of the texts that is most similar to the phrase, or None below the threshold.

    A comparison with a whole text has the text itself as its passage.
    """
    best: SimilarPassage | None = None
    for text in texts:
        if target.compare == "passage":
            passage = find_similar(text, target.phrase, target.threshold)
        else:
            similarity = COMPARISONS[target.compare](_normalize(target.phrase), _normalize(text[:MAXIMUM_LENGTH]))
            is_match = similarity >= target.threshold
            passage = SimilarPassage(text, 0, len(text), round(similarity, 4)) if is_match else None
        if passage is not None and (best is None or passage.similarity > best.similarity):
            best = passage
    return best


def _normalize(text: str) -> str:
    return " ".join(_MARKS.sub(" ", fold(text)).split())


def _compare_sorted(phrase: str, text: str) -> float:
    """Compare the words in alphabetical order, so that their own order does not count."""
    return compare_whole(" ".join(sorted(phrase.split())), " ".join(sorted(text.split())))


def _compare_sets(phrase: str, text: str) -> float:
    """Compare the words as sets: 1 if all words of one are among the other's."""
    first, second = set(phrase.split()), set(text.split())
    common = " ".join(sorted(first & second))
    if common and (first <= second or second <= first):
        return 1.0
    longer, other = (f"{common} {' '.join(sorted(rest))}".strip() for rest in (first - second, second - first))
    pairs = [(longer, other), *([(common, longer), (common, other)] if common else [])]
    return max(compare_whole(*pair) for pair in pairs)


COMPARISONS: dict[str, Callable[[str, str], float]] = {
    "whole": compare_whole,
    "sorted_words": _compare_sorted,
    "common_words": _compare_sets,
}
