"""Regular expressions by RE2, in linear time: no text can make a pattern hang."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Protocol

from plexus import limits
from plexus.text import fold_places


class Match(Protocol):
    """The part of RE2's match objects that is used here."""

    def span(self) -> tuple[int, int]:
        """Return the match's (start, end), end exclusive."""
        ...

    def end(self) -> int:
        """Return the offset behind the match."""
        ...

    def start(self) -> int:
        """Return the offset at which the match begins."""
        ...

    def group(self, number: int) -> str:
        """Return the text of a group."""
        ...


class Pattern(Protocol):
    """The part of RE2's compiled patterns that is used here. RE2 publishes no types."""

    def search(self, text: str) -> Match | None:
        """Return the first match."""
        ...

    def finditer(self, text: str | bytes) -> Iterator[Match]:
        """Return all matches that do not overlap, in order; offsets are characters of a str, bytes of bytes."""
        ...

    def sub(self, replacement: str, text: str) -> str:
        """Replace every match."""
        ...


#: (first, last) characters of scripts whose words are not all set apart by spaces: Thai and Lao, Burmese, Khmer,
#: Han, Kana, and Hangul, where particles and verbs join a noun.
UNSPACED = (
    *(("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u2e80", "\u2fdf"), ("\u3005", "\u3007")),
    *(("\u3040", "\u30ff"), ("\u31f0", "\u31ff"), ("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff")),
    *(("\uff66", "\uff9d"), ("\U00020000", "\U000323af")),
    *(("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\ua960", "\ua97f"), ("\uac00", "\ud7ff")),
)


# Below this length, paying would take longer than a search.
_LONG = 10_000
_SEARCH = 10  # units of work for a character
_MATCH = 1_000  # and for a match
_PAY_EVERY = 1_000
_SPAN_BYTES = 300  # of a span, once more in the trace of a result


# Expressions and validations compile the same few patterns for every item.
@functools.lru_cache(maxsize=1024)
def compile_pattern(pattern: str, *, case_sensitive: bool = False) -> Pattern:
    """Compile a pattern; the last 1,024 are cached. Raises re2.error if RE2 rejects it; `find_problem` says why."""
    return compile_uncached(pattern, case_sensitive=case_sensitive)


def compile_uncached(pattern: str, *, case_sensitive: bool = False) -> Pattern:
    """Compile a pattern that is a value: each one that is kept may take 8 MiB. Raises re2.error if RE2 rejects it."""
    import re2

    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False  # raised instead
    compiled: Pattern = re2.compile(pattern, options)
    return compiled


def find_problem(pattern: str) -> str | None:
    """Return RE2's reason for rejecting the pattern, None if it compiles."""
    import re2

    try:
        compile_pattern(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        return reason.decode() if isinstance(reason, bytes) else str(reason)
    return None


def join_phrases(phrases: Iterable[str], *, case_sensitive: bool = False) -> str:
    """Return a pattern that matches any of the phrases as whole words in a text folded by `fold_places`, longest first.

    White space in a phrase matches any run of white space. RE2 knows ASCII word boundaries only: filter the spans in
    other texts with `is_whole_word`.
    """
    folded = dict.fromkeys(fold_places(phrase, keep_case=case_sensitive).text.strip() for phrase in phrases)
    # Longest first: an alternation takes its first match, and `refund policy` is more than `refund`.
    ordered = sorted(filter(None, folded), key=lambda phrase: (-len(phrase), phrase))
    return "|".join(_create_phrase_pattern(phrase) for phrase in ordered)


def find_phrases(pattern: Pattern, text: str, *, case_sensitive: bool = False) -> list[tuple[int, int]]:
    """Return (start, end) in the text of every match of a pattern of `join_phrases`, in characters, in text order."""
    folded = fold_places(text, keep_case=case_sensitive)
    spans = find_spans(pattern, folded.text)
    if spans and not folded.text.isascii():
        spans = [span for span in spans if is_whole_word(folded.text, *span)]
    return spans if folded.starts is None else [folded.find_span(*span) for span in spans]


def find_spans(pattern: Pattern, text: str) -> list[tuple[int, int]]:
    """Return (start, end) of every non-empty match, in characters, end exclusive, in text order.

    RE2 reads bytes, and its wrapper counts them back to characters at each match. ASCII needs no such counting, so
    it is passed as bytes.
    """
    read: str | bytes = text.encode() if text.isascii() else text
    if len(text) > _LONG:
        return _find_many(pattern, read)
    return [span for match in pattern.finditer(read) if (span := match.span())[0] < span[1]]


def _find_many(pattern: Pattern, read: str | bytes) -> list[tuple[int, int]]:
    """Find spans in a long text, whose matches could fill the memory and take longer than the deadline."""
    meter = limits.get_meter()
    meter.pay(_SEARCH * len(read))
    spans: list[tuple[int, int]] = []
    for count, match in enumerate(pattern.finditer(read)):
        start, end = match.span()
        if start < end:
            spans.append((start, end))
        if count % _PAY_EVERY == 0:
            meter.pay(_PAY_EVERY * _MATCH)
            meter.need(_SPAN_BYTES * len(spans))
    return spans


def is_found(pattern: Pattern, text: str) -> bool:
    """Return whether the pattern matches anywhere."""
    if len(text) > _LONG:
        limits.get_meter().pay(_SEARCH * len(text))
    return pattern.search(text) is not None


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Return whether the span neither begins nor ends inside a word, in any script.

    RE2's `\\b` knows ASCII words only. Scripts without spaces between words have no visible boundaries: there a span
    may begin and end anywhere.
    """
    joined_before = start > 0 and _is_word_character(text[start - 1]) and _is_word_character(text[start])
    joined_after = end < len(text) and _is_word_character(text[end]) and _is_word_character(text[end - 1])
    return not (joined_before or joined_after)


def _create_phrase_pattern(phrase: str) -> str:
    import re2

    middle = r"[\s\pZ]+".join(str(re2.escape(part)) for part in phrase.split())
    return _create_boundary(phrase[:1]) + middle + _create_boundary(phrase[-1:])


def _create_boundary(character: str) -> str:
    return r"\b" if character.isascii() and _is_word_character(character) else ""


def _is_word_character(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == "_"
    if any(first <= character <= last for first, last in UNSPACED):
        return False
    return character.isalnum() or unicodedata.category(character).startswith("M")
