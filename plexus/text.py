"""Texts folded for comparison, with the places of their characters; JSON read strictly, and digests of its values."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import sys
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

# Characters that no reader sees: soft hyphens, zero-width spaces and joiners, marks of direction, variation selectors,
# and the stroke that only lengthens an Arabic word.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_SINGLE_QUOTES, _DOUBLE_QUOTES = "‘’‚‛ʼʹ′´‹›", "“”„‟«»″"
_DASHES = "\u2010\u2011\u2012–—―−\u2043\ufe58\ufe63"
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys(_SINGLE_QUOTES, "'"),
        **dict.fromkeys(_DOUBLE_QUOTES, '"'),
        **dict.fromkeys(_DASHES, "-"),
        # Turkish has four letters i; `İPTAL` and `iptal`, `KAPI` and `kapı` are the same words.
        "ı": "i",
    }
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
# Marks that join the character before them when it is composed, in the blocks that have composed characters.
_MARKS = (
    "\u0300-\u036f\u0653-\u0655\u093c\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dca"
    "\u0dcf\u0ddf\u102e\u1161-\u11ff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\uff9e\uff9f"
)
_CLUSTER = re.compile(f"[\\x00-\\x7f][{_MARKS}]+|[^\\x00-\\x7f][{_MARKS}]*")
# What changes beyond case and composition: `ß` is two letters, and Greek letters with an iota below are, too.
_SPECIAL = re.compile(f"[{_INVISIBLE}{_SINGLE_QUOTES}{_DOUBLE_QUOTES}{_DASHES}ıİßẞ\u0390\u03b0\u1f80-\u1fff]")


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded `text`; `find_span` gives the place of a part in the original, in characters, end exclusive."""

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def find_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the (start, end) in the original of a part that is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(value: object) -> str:
    """Fold a text for comparison: ` Not  Sure ` and `not sure` fold to the same string.

    Compatibility forms (NFKC), case, white space, invisible characters, and the typography of quotes and dashes are
    ignored: `ﬁrst`, `ref\u00adund` and `STRASSE` fold as `first`, `refund` and `straße` do. Accents are not ignored.
    """
    text = str(value)
    return " ".join((text.casefold() if text.isascii() else _fold(text, False)).split())


def fold_places(text: str, *, keep_case: bool = False) -> Folded:
    """Fold a text as `fold` does, except for white space and the case of most letters, and keep the places.

    The result is to be searched by a pattern that ignores case, unless `keep_case`. A text without anything to fold,
    such as ASCII, is returned as it is.
    """
    if is_plain(text):
        return Folded(text)
    pieces: list[str] = []
    # Arrays take 4 bytes for a place, and lists 36: a text of 10 MB would need 700 MB.
    starts, ends = array("I"), array("I")
    at = 0
    for match in _CLUSTER.finditer(text):
        begin, end = match.span()
        piece = _fold_cluster(match[0], keep_case)
        pieces += (text[at:begin], piece)
        starts.extend(range(at, begin))
        ends.extend(range(at + 1, begin + 1))
        starts.extend([begin] * len(piece))
        ends.extend([end] * len(piece))
        at = end
    pieces.append(text[at:])
    starts.extend(range(at, len(text)))
    ends.extend(range(at + 1, len(text) + 1))
    return Folded("".join(pieces), starts, ends)


def is_plain(text: str) -> bool:
    """Return whether folding leaves the text as it is, except for white space and case."""
    return text.isascii() or (unicodedata.is_normalized("NFKC", text) and _SPECIAL.search(text) is None)


def _fold(text: str, keep_case: bool) -> str:
    # Before NFKC, which makes a space and an accent of `´`; and after it, which makes quotes and dashes of their
    # full-width forms.
    text = unicodedata.normalize("NFKC", _HIDDEN.sub("", text).translate(_TYPOGRAPHY))
    if not keep_case:
        # `İ` folds to `i` and a combining dot.
        text = unicodedata.normalize("NFKC", text.casefold().replace("i\u0307", "i"))
    return text.translate(_TYPOGRAPHY)


_fold_cluster = functools.lru_cache(maxsize=8192)(_fold)


def encode_canonical(value: object) -> bytes:
    """Encode a JSON value in its one canonical spelling (sorted keys, no spaces, UTF-8): equal values, equal bytes."""
    # The spelling is part of every stored digest: changing it would orphan artifacts and cassettes.
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hash_value(value: object) -> str:
    """Return the SHA-256 of a JSON value's canonical spelling, as 64 hex digits."""
    return hashlib.sha256(encode_canonical(value)).hexdigest()


def parse_json(text: str) -> object:
    """Parse JSON strictly. Raises ValueError for NaN, infinities and repeated keys too, and RecursionError."""
    value: object = json.loads(
        text, parse_constant=_reject_constant, parse_float=_parse_finite, object_pairs_hook=_create_object
    )
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _parse_finite(text: str) -> float:
    """Return the number of a JSON text. Raises ValueError for one such as `1e400`, which would become an infinity."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"got a number greater than {sys.float_info.max:.0e}")
    return number


def _create_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of these members. Raises ValueError for a repeated key: one of its values would be lost."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} is repeated")
    return members
