"""The functions of expressions, and the methods of texts and maps that expressions and templates may call."""

from __future__ import annotations

import functools

from plexus import patterns
from plexus.language.operators import MAXIMUM_LENGTH, check_length, round_number
from plexus.language.prices import (
    Operation,
    Price,
    case_price,
    count,
    fold_once,
    free,
    list_room,
    per,
    search_price,
    sort_price,
    split_room,
    strip_price,
    sum_price,
    sum_room,
    text_room,
    weigh,
    written_room,
)
from plexus.patterns import Pattern

# Units of work for a character. RE2 reads it once; a pattern that is not cached is compiled first.
_SEARCH = 10
_COMPILE = 500
#: Each compiled pattern may take 8 MiB for its automaton, so few of those that an expression computes are kept.
_KEPT_PATTERNS = 16


@functools.lru_cache(maxsize=_KEPT_PATTERNS)
def compile_computed(pattern: str) -> Pattern:
    """Compile a pattern that an expression computes; the last 16 are kept. Raises as `patterns.compile_uncached`."""
    return patterns.compile_uncached(pattern)


def _matches(text: object, pattern: object) -> bool:
    return bool(compile_computed(str(pattern)).search(str(text)))


def _matches_constant(text: object, pattern: object) -> bool:
    return bool(patterns.compile_pattern(str(pattern)).search(str(text)))


def _matches_price(text: object, pattern: object) -> int:
    return _SEARCH * weigh(text) + _COMPILE * weigh(pattern)


def _contains(text: object, part: object) -> bool:
    return fold_once(part) in fold_once(text)


def _contains_price(text: object, part: object) -> int:
    # Folding pays for itself, because a text that was folded before is not folded again.
    return search_price(text, part)


def _to_text(value: object) -> str:
    check_length(value)
    return str(value)


def _split_words(text: object) -> list[str]:
    return str(text).split(None, MAXIMUM_LENGTH)


FUNCTIONS: dict[str, Operation] = {
    "len": Operation(len, free, free),
    "min": Operation(min, per(2), free),
    "max": Operation(max, per(2), free),
    "sum": Operation(sum, sum_price, sum_room),
    "any": Operation(any, per(1), free),
    "all": Operation(all, per(1), free),
    "abs": Operation(abs, free, free),
    "round": Operation(round_number, free, free),
    "int": Operation(int, per(5), free),
    "float": Operation(float, per(5), free),
    "str": Operation(_to_text, per(5), written_room),
    "bool": Operation(bool, free, free),
    "sorted": Operation(sorted, sort_price, list_room),
    "fold": Operation(fold_once, free, free),
    "words": Operation(_split_words, per(10), split_room),
    "matches": Operation(_matches, _matches_price, text_room(1)),
    "contains": Operation(_contains, _contains_price, free),
}
#: `matches` with a pattern that the scorecard spells out: there are only so many of them.
MATCHES_CONSTANT = Operation(_matches_constant, _matches_price, text_room(1))


def _prefix_price(text: object, prefix: object, *_more: object) -> int:
    del text
    return weigh(prefix)


def _join_price(separator: object, values: object = (), *_more: object) -> int:
    return weigh(values) + weigh(separator) * count(values)


def _join_room(separator: object, values: object = (), *_more: object) -> int:
    return 4 * _join_price(separator, values)  # a character takes four bytes at most


def _replace_price(text: object, old: object = "", new: object = "", *_more: object) -> int:
    return 2 * search_price(text, old) + weigh(new)


def _replace_room(text: object, old: object = "", new: object = "", *_more: object) -> int:
    """Bound the bytes of a text in which every occurrence is replaced; an empty one is before and behind each sign."""
    if not (isinstance(text, str) and isinstance(old, str)):
        return 0
    return 4 * (len(text) + text.count(old) * weigh(new))


#: Methods that expressions and templates share; a text may become three times as long in another case.
_SHARED: dict[str, tuple[Price, Price]] = {
    "lower": (case_price, text_room(3)),
    "upper": (case_price, text_room(3)),
    "title": (per(5), text_room(3)),
    "strip": (strip_price, text_room(1)),
    "startswith": (_prefix_price, free),
    "endswith": (_prefix_price, free),
    "count": (search_price, free),
    "find": (search_price, free),
    "split": (per(10), split_room),
    "isdigit": (per(1), free),
    "join": (_join_price, _join_room),
    "replace": (_replace_price, _replace_room),
    "get": (free, free),
}
_TEMPLATES_ONLY: dict[str, tuple[Price, Price]] = {
    "lstrip": (strip_price, text_room(1)),
    "rstrip": (strip_price, text_room(1)),
    "items": (free, free),
    "keys": (free, free),
    "values": (free, free),
}


def _create_method(name: str) -> Operation:
    price, room = {**_SHARED, **_TEMPLATES_ONLY}[name]

    def run(owner: object, *arguments: object) -> object:
        return getattr(owner, name)(*arguments)

    return Operation(run, price, room)


#: Methods by name; the first operand is the value whose method is called.
METHODS: dict[str, Operation] = {name: _create_method(name) for name in _SHARED}
TEMPLATE_METHODS: dict[str, Operation] = METHODS | {name: _create_method(name) for name in _TEMPLATES_ONLY}
