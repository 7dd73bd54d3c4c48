"""What a word of a text is, and which words a negation turns round."""

from __future__ import annotations

import re

from plexus.patterns import UNSPACED

_UNSPACED = "".join(f"{first}-{last}" for first, last in UNSPACED)
_LETTERS = rf"[^\W{_UNSPACED}]+"
_WORD = rf"{_LETTERS}(?:['’]{_LETTERS})?"
#: Words with their inner apostrophes (`don't`), and marks that carry feeling; of scripts without spaces each character,
#: for their words cannot be seen: pairs of them (n-grams) come near. Pictures are words, too.
TOKENS = rf"{_WORD}|[{_UNSPACED}]|[!?]+|[\u2600-\u27bf\U0001f300-\U0001faff]"

_MARK = "not_"
_AUXILIARIES = "ai|are|ca|could|did|do|does|had|has|have|is|might|must|need|should|was|were|wo|would"
_NEGATION = (
    rf"\b(?:not|never|no|nor|neither|none|nothing|nobody|cannot|without|hardly|(?:{_AUXILIARIES})n'?t|n ?'t)(?![\w'])"
)
_NEXT = rf"\s+(?!{_NEGATION})[\w'-]+"
#: A negation and up to four words after it, as far as no mark and no other negation stands between.
_NEGATED = re.compile(rf"({_NEGATION})((?:{_NEXT}){{1,4}})")
_WORDS = re.compile(_WORD)


def negated(text: str) -> str:
    """In lower case and with plain apostrophes: `not very good.` → `not not_very not_good.`"""
    return _NEGATED.sub(_marked, text)


def _marked(found: re.Match[str]) -> str:
    return found[1] + _WORDS.sub(rf"{_MARK}\g<0>", found[2])


def shown(term: str) -> str:
    """How a person reads a term: `not_good` → `not … good`, `don't not_like` → `don't like`."""
    plain = " ".join(word.removeprefix(_MARK) for word in term.split(" "))
    return f"not … {plain}" if term.startswith(_MARK) else plain
