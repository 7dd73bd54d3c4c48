"""Processors of single words."""

from __future__ import annotations

import re
from typing import Any

from plexus.processors.step import Process, with_text
from plexus.values import Item

#: Words of English that carry no meaning of their own. Negations are no stop words: they turn a meaning round.
_LISTED = """
a about above after again all also am an and any are as at be because been before being below between both but
    by can could did do does doing down during each few for from further had has have having he her here hers herself
    him himself his how i if in into is it its itself just let me more most my myself of off on once only or other our
    ours ourselves out over own same she should so some such than that the their theirs them themselves then there
    these they this those through to too under until up very was we were what when where which while who whom why will
    with would you your yours yourself yourselves
"""
STOP_WORDS = frozenset(re.findall(r"\S+", _LISTED))
_IRREGULAR = {
    "can't": "cannot",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "y'all": "you all",
    "ma'am": "madam",
    "o'clock": "o'clock",
}
_ENDINGS = {"n't": " not", "'re": " are", "'ve": " have", "'ll": " will", "'m": " am"}
# After these words 's is short for `is`; after others it may be a possessive, which stays.
_IS = frozenset(
    re.findall(r"\w+", "he she it that this there here what who where when why how everything nothing something")
)
_WITH_APOSTROPHE = re.compile(r"[^\W\d_]+['’][^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GAPS = re.compile(r"[ \t]+(?=[.,;:!?])|(?<=[ \t])[ \t]+|^[ \t]+|[ \t]+$", re.MULTILINE)


def remove_stop_words(configuration: Any) -> Process:
    """Drops stop words; marks and line ends stay."""
    dropped = (STOP_WORDS | {word.casefold() for word in configuration.also}) - {
        word.casefold() for word in configuration.keep
    }

    def process(item: Item) -> Item:
        kept = _WORD.sub(lambda match: "" if match[0].casefold() in dropped else match[0], item.text or "")
        return with_text(item, _GAPS.sub("", kept))

    return process


def expand_contractions(_: Any) -> Process:
    """`don't` becomes `do not`; a possessive 's and an ambiguous 'd stay as they are."""

    def process(item: Item) -> Item:
        return with_text(item, _WITH_APOSTROPHE.sub(lambda match: expanded(match[0]), item.text or ""))

    return process


def expanded(word: str) -> str:
    """The word in full, its first letter in the case that it had."""
    plain = word.replace("’", "'")
    folded = plain.casefold()
    if folded in _IRREGULAR:
        full = _IRREGULAR[folded]
        return full.capitalize() if word[0].isupper() else full
    for ending, instead in _ENDINGS.items():
        if folded.endswith(ending):
            return plain[: -len(ending)] + instead
    if folded.endswith("'s") and folded[:-2] in _IS:
        return plain[:-2] + " is"
    return word
