"""Regular expressions in linear time, by RE2: no text can make a pattern hang."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any


def options(*, case_sensitive: bool = False) -> Any:
    """RE2's options: errors are raised, not printed."""
    import re2

    made = re2.Options()
    made.case_sensitive = case_sensitive
    made.log_errors = False
    return made


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
    """A pattern for any of the phrases as whole words, longest first; white space in a phrase matches any run of it."""
    ordered = sorted(dict.fromkeys(phrases), key=lambda phrase: (-len(phrase), phrase))
    return "|".join(_phrase(phrase) for phrase in ordered)


def whole(text: str, start: int, end: int) -> bool:
    """Whether no letter or digit touches the span on the outside.

    RE2's `\\b` knows ASCII words only: this check makes `words` right for every script.
    """
    before = start > 0 and _is_word(text[start - 1]) and _is_word(text[start])
    after = end < len(text) and _is_word(text[end]) and _is_word(text[end - 1])
    return not (before or after)


def _phrase(phrase: str) -> str:
    import re2

    middle = r"\s+".join(re2.escape(part) for part in phrase.split())
    return _edge(phrase.strip()[:1]) + middle + _edge(phrase.strip()[-1:])


def _edge(character: str) -> str:
    return r"\b" if character.isascii() and _is_word(character) else ""


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
