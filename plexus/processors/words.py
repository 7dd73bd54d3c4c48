"""Processors of single words: stop words and contractions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from plexus.values import Item

if TYPE_CHECKING:
    from plexus.configuration.processors import RemoveStopWords

#: English words that carry no meaning of their own. Negations are not among them: they reverse a meaning.
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
# After these words, 's is short for `is`; after others it may be a possessive, which stays.
_IS = frozenset(
    re.findall(r"\w+", "he she it that this there here what who where when why how everything nothing something")
)
# From the first letter of a word, and without trying fewer letters: a word of n letters would take n² steps.
_WITH_APOSTROPHE = re.compile(r"(?<![^\W\d_])[^\W\d_]++['’][^\W\d_]++")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GAPS = re.compile(r"[ \t]+(?=[.,;:!?])|(?<=[ \t])[ \t]+|^[ \t]+|[ \t]+$", re.MULTILINE)


def create_stop_word_filter(configuration: RemoveStopWords) -> Callable[[Item], str]:
    """Create the processor that removes stop words; punctuation and line ends stay."""
    removed = (STOP_WORDS | {word.casefold() for word in configuration.also}) - {
        word.casefold() for word in configuration.keep
    }

    def process(item: Item) -> str:
        kept = _WORD.sub(lambda match: "" if match[0].casefold() in removed else match[0], item.text or "")
        return _GAPS.sub("", kept)

    return process


def expand_contractions(item: Item) -> str:
    """Expand contractions: `don't` becomes `do not`. A possessive 's and an ambiguous 'd stay."""
    return _WITH_APOSTROPHE.sub(lambda match: expand(match[0]), item.text or "")


def expand(word: str) -> str:
    """Return a contraction in full, with the case of its first letter; any other word unchanged."""
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
