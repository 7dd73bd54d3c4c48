"""Regular expressions in linear time, by RE2: no text can make a pattern hang."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable
from typing import Any


def options(*, case_sensitive: bool = False) -> Any:
    """RE2's options: errors are raised, not printed."""
    import re2

    made = re2.Options()
    made.case_sensitive = case_sensitive
    made.log_errors = False
    return made


#: (first, last) characters of scripts without spaces between words: Thai and Lao, Burmese, Khmer, Han, Kana.
UNSPACED = (
    *(("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u2e80", "\u2fdf"), ("\u3005", "\u3007")),
    *(("\u3040", "\u30ff"), ("\u31f0", "\u31ff"), ("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff")),
    *(("\uff66", "\uff9d"), ("\U00020000", "\U000323af")),
)


#: Character → a pattern for it and for what is typed or typeset in its place.
_ALIKE = {each: f"[{kind}]" for kind in ("'’‘ʼ", "-‐‑–") for each in kind}


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str, *, case_sensitive: bool = False) -> Any:
    """The compiled pattern; raises re2.error."""
    import re2

    return re2.compile(pattern, options(case_sensitive=case_sensitive))


def problem(pattern: str) -> str | None:
    """Why RE2 does not take the pattern, None when it does."""
    import re2

    try:
        compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        return reason.decode() if isinstance(reason, bytes) else str(reason)
    return None


def words(phrases: Iterable[str]) -> str:
    """A pattern for any of the phrases as whole words, longest first; white space in a phrase matches any run of it.

    An accent counts the same as a letter's part and as a character of its own (NFC and NFD); so do the apostrophes and
    hyphens of keyboards and of typesetters.
    """
    forms = dict.fromkeys(form for phrase in phrases for form in (phrase, *_forms(phrase)))
    ordered = sorted(forms, key=lambda phrase: (-len(phrase), phrase))
    return "|".join(_phrase(phrase) for phrase in ordered)


def spans(pattern: Any, text: str) -> list[tuple[int, int]]:
    """(start, end) of every match that is not empty, in characters, end exclusive, in the order of the text.

    RE2 reads bytes, and its wrapper counts them back into characters at each match. Of ASCII they are the same.
    """
    read: str | bytes = text.encode() if text.isascii() else text
    return [span for match in pattern.finditer(read) if (span := match.span())[0] < span[1]]


def whole(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit touches the span on the outside.

    RE2's `\\b` knows ASCII words only: this check makes `words` right for every script. Scripts that put no space
    between words show no ends of them: there a phrase may stand anywhere.
    """
    before = start > 0 and _is_word(text[start - 1]) and _is_word(text[start])
    after = end < len(text) and _is_word(text[end]) and _is_word(text[end - 1])
    return not (before or after)


def _phrase(phrase: str) -> str:
    middle = r"[\s\pZ]+".join(_typeset(part) for part in phrase.split())
    return _edge(phrase.strip()[:1]) + middle + _edge(phrase.strip()[-1:])


def _typeset(part: str) -> str:
    """A pattern for the part as it stands, each apostrophe and hyphen in it for any of its kind."""
    import re2

    if not any(character in _ALIKE for character in part):
        return str(re2.escape(part))
    return "".join(_ALIKE.get(character) or re2.escape(character) for character in part)


def _edge(character: str) -> str:
    return r"\b" if character.isascii() and _is_word(character) else ""


def _forms(phrase: str) -> tuple[str, ...]:
    return () if phrase.isascii() else tuple(unicodedata.normalize(form, phrase) for form in ("NFC", "NFD"))


def _is_word(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == "_"
    if any(first <= character <= last for first, last in UNSPACED):
        return False
    return character.isalnum() or unicodedata.category(character).startswith("M")
