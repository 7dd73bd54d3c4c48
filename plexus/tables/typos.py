"""Likely typos among labels, judged by the kind of the misspelling and by how often both spellings occur."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plexus.text import fold

# A misspelling that people repeat (a letter left out, added, doubled or swapped with its neighbour) is rarely another
# word, so that the right spelling needs only twice its rows. Vowels are confused as persistently (`relevent`), but
# `micro` and `macro` are two words. Any other slip of the finger happens once or twice: `Ireland` and `Iceland`,
# `hypotension` and `hypertension` are classes unless one of them is almost absent.
_REPEATED, _VOWEL, _SLIP = 2, 10, 40
_SINGLE_SLIP = 10  # rows of the right spelling for a slip in one row only
_SHORTEST, _SHORTEST_REPEATED, _SHORTEST_TWICE = 4, 5, 8  # letters of a word with one edit, a repeated one, two edits
_MOST = 1000  # more labels than this are no classes, and each would be compared with each
_PARTS = re.compile(r"[^\W\d_]+|[\W\d_]+")
_JOINTS = re.compile(r"(?<=[^\W\d_])[\s_./&-]+(?=[^\W\d_])")
_ROMAN = re.compile(r"[ivxlc]+")
_VOWELS = frozenset("aeiouyäöüáàâéèêëíìîïóòôúùûå")


def find_likely_typos(counts: Mapping[str, int]) -> dict[str, str]:
    """Return label → the label of which it may be a typo, given the number of rows of each label.

    Digits and signs set labels apart (`class 1`, `class 2`, `A`, `A+`), and so does a prefix (`typical`, `atypical`);
    words are separated by blanks, hyphens, underscores, points or nothing alike. Only scripts with capital letters are
    judged: elsewhere one character is often the word.
    """
    if len(counts) > _MOST:
        return {}
    typos: dict[str, str] = {}
    for label in sorted(counts):
        for other in sorted(counts, key=lambda name: (-counts[name], name)):
            if (counts[other], label) > (counts[label], other) and _is_typo(label, other, counts):
                typos[label] = other
                break
    return typos


def _is_typo(label: str, other: str, counts: Mapping[str, int]) -> bool:
    factor = _find_factor(fold(label), fold(other))
    if factor is None:
        return False
    needed = _SINGLE_SLIP if factor == _SLIP and counts[label] == 1 else factor * counts[label]
    return counts[other] >= needed


def _find_factor(label: str, other: str) -> int | None:
    """Return how many times more rows `other` must have for `label` to be its typo; None: never."""
    first, second = _JOINTS.sub("", label), _JOINTS.sub("", other)
    if first == second:
        return 1 if len(first) >= _SHORTEST_REPEATED else None
    pairs = list(_pair_parts(_JOINTS.sub(" ", label), _JOINTS.sub(" ", other)))
    return _rate_words(*pairs[0]) if len(pairs) == 1 and "" not in pairs[0] else None


def _pair_parts(label: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield the words that differ; an empty one where the labels differ in digits, signs or the number of words."""
    first, second = _PARTS.findall(label), _PARTS.findall(other)
    if len(first) != len(second):
        yield "", ""
        return
    for word, twin in zip(first, second, strict=True):
        if word != twin:
            yield (word, twin) if word.isalpha() and twin.isalpha() else ("", "")


def _rate_words(word: str, other: str) -> int | None:
    if word.endswith(other) or other.endswith(word) or (_ROMAN.fullmatch(word) and _ROMAN.fullmatch(other)):
        return None
    if not all(letter.islower() for letter in word + other):
        return None
    shared = _count_shared(word, other)
    tail = _count_shared(word[shared:][::-1], other[shared:][::-1])
    old, new = word[shared : len(word) - tail], other[shared : len(other) - tail]
    longest = max(len(word), len(other))
    if len(old) == 1 and not new and len(other) > 1 and len(set(word)) > 1 and old == word[shared - 1 : shared]:
        return _REPEATED if longest >= _SHORTEST_REPEATED else _SLIP  # a doubled letter, also of a short word: `noo`
    if len(old) + len(new) == 1 or (len(old) == 2 and old == new[::-1]):
        factor = _REPEATED
    elif len(old) == len(new) == 1:
        factor = _VOWEL if {old, new} <= _VOWELS else _SLIP
    elif min(len(word), len(other)) >= _SHORTEST_TWICE and shared and _count_edits(old, new) <= 2:
        return _SLIP
    else:
        return None
    if not shared or longest < _SHORTEST_REPEATED:
        factor = _SLIP
    return factor if longest >= _SHORTEST else None


def _count_shared(word: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))


def _count_edits(word: str, other: str) -> int:
    """Return Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(word, start=1):
        before, row = row, [number]
        for place, twin in enumerate(other, start=1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != twin)))
    return row[-1]
