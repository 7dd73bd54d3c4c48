"""Whether the words around a reply's JSON object leave it as the answer: an example, a draft or a correction do not."""

from __future__ import annotations

import re
from collections.abc import Callable

from plexus.graph.assertions import ANSWERS
from plexus.graph.attributions import find_retraction, is_undecided
from plexus.graph.denials import fold_words, hide_negation, is_denied

_FENCED = re.compile(r"```+\w*\s*\Z")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
# `Expected format: {…}`, but not `My answer in the expected format: {…}`
_FORMAT = re.compile(
    r"\W*(?:the )?(?:(?:expected|required|requested|desired|output|response|answer|json) )+"
    r"(?:format|structure|schema|shape|output|response)\W*"
)
# They begin or mark a sentence that corrects the object before it.
_CORRECTION = re.compile(
    rf"\A\W*(?:actually|however|but|hm+|wait|eigentlich|tatsächlich|doch|en realidad|en fait|in realtà|na verdade|"
    rf"на самом деле)\b|\A\W*(?:实际上|其实|實際上|実際)|"
    rf"\b(?:correct|right|better|actual|true) (?:{ANSWERS}|value|one)\b"
)


def is_upheld(before: str, after: str, answer: str, read: Callable[[str], object]) -> bool:
    """Return whether the texts before and after a JSON object leave its answer standing.

    `read` returns what a sentence answers, None if nothing: a later sentence that corrects the object to something
    else takes its answer back.
    """
    fence = _FENCED.search(before, max(0, len(before) - 40))
    before = (before[: fence.start()] if fence else before).replace("e.g.", "eg")
    behind = "" if fence else after.partition("\n")[0]
    intro = fold_words(_SENTENCE.split(before.rstrip())[-1])
    if before.endswith("\n") and not intro.endswith(":"):
        intro = ""
    if _FORMAT.fullmatch(intro):
        return False
    begin, word = f"{intro} " if intro else "", hide_negation(fold_words(answer))
    segment = f"{begin}{word}{fold_words(behind) and ' '}{fold_words(behind)}"
    if is_denied(segment, len(begin), len(begin) + len(word)):
        return False
    sentences = [folded for part in _SENTENCE.split(after) if (folded := fold_words(part))]
    if find_retraction(["", *sentences]) or is_undecided([*map(fold_words, _SENTENCE.split(before)), *sentences]):
        return False
    own = read(answer)
    return all(read(each) in (None, own) for each in sentences if _CORRECTION.search(each))
