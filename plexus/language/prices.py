"""Prices of the restricted language's operations, in units of work, from their operands and before they run.

A unit is about a nanosecond (limits.py). A price is an upper bound for any operands: prices of searches assume the text
on which the interpreter's own algorithm is slowest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, MappingView, ValuesView
from dataclasses import dataclass

from plexus import limits
from plexus.limits import Meter
from plexus.text import fold
from plexus.values import Result

#: Units for one value in a list or map: it is visited by the price, and again by the operation.
PART = 100
#: Units for one step of an expression, and for one call of a filter or test.
STEP = 500
#: Bytes of a short string in a list: its header and the pointer to it.
_WORD_BYTES = 58
_CHARACTER_BYTES = 4
_SHORT = 1_000
_MAXIMUM_FOLDED = 4

Price = Callable[..., int]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, its price in units of work, and its room: the bytes that it and its result take while it runs."""

    run: Callable[..., object]
    price: Price
    room: Price

    def apply(self, meter: Meter, *operands: object) -> object:
        """Pay the price, check that the room fits, and run. Raises LimitExceeded above a limit, or DeadlineExceeded."""
        meter.pay(self.price(*operands))
        meter.need(self.room(*operands))
        return self.run(*operands)


def weigh(value: object) -> int:
    """Return the units of reading a value once, with all values inside it."""
    if isinstance(value, str):
        return len(value) + 1
    if value is None or isinstance(value, (int, float)):
        return 1
    units, pending = 0, [value]
    while pending and units <= limits.SCORE_WORK:
        part = pending.pop()
        units += PART
        if isinstance(part, str):
            units += len(part)
        else:
            pending += list_parts(part)
    return units


def list_parts(value: object) -> Iterable[object]:
    """Return the values directly inside a value."""
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, (KeysView, ValuesView, ItemsView)):
        return list(value)
    if isinstance(value, Mapping):
        return (*value.keys(), *value.values())
    if isinstance(value, Result):
        return (value.value, value.explanation, value.trace)
    return ()


def free(*_operands: object) -> int:
    """Price an operation that takes the same time for any operands: nothing beyond its step."""
    return 0


def per(units: int) -> Price:
    """Price every character and value of all operands."""
    return lambda *operands: units * sum(map(weigh, operands))


def case_price(text: object, *_more: object) -> int:
    """Price changing the case of a text: a character of ASCII costs 1, others 5."""
    return weigh(text) * (1 if isinstance(text, str) and text.isascii() else 5)


def per_part(units: int) -> Price:
    """Price every direct part of the first operand, such as the characters of a text, through which a filter loops."""
    return lambda values=(), *more: units * count(values) + weigh(values) + sum(map(weigh, more))


def sort_price(values: object, *more: object) -> int:
    """Price comparing every value with about log2(n) others; long texts with a common beginning are read each time."""
    return weigh(values) * (2 + count(values).bit_length()) + sum(map(weigh, more))


def sum_price(values: object, start: object = 0, *_more: object) -> int:
    """Price adding: each sum of two lists copies both."""
    copies = count(values) if isinstance(start, (list, tuple)) else 1
    return weigh(values) * copies


def sum_room(values: object, start: object = 0, *_more: object) -> int:
    """Bound the bytes of adding lists; numbers take none."""
    return 8 * weigh(values) if isinstance(start, (list, tuple)) else 0


def search_price(text: object, part: object = "", *more: object) -> int:
    """Price finding a part in a text, or a value in a list or map.

    Python's search reads short texts once for each character of the part, and long ones a few times.
    """
    if isinstance(text, str) and isinstance(part, str):
        times = min(len(part), 100) if len(text) < 30_000 else 8
        return len(text) * max(1, times) + len(part)
    return weigh(text) + weigh(part) + sum(map(weigh, more))


def contains_price(part: object, whole: object) -> int:
    """Price `part in whole`."""
    if isinstance(whole, Mapping):
        return weigh(part)
    return search_price(whole, part)


def compare_price(left: object, right: object) -> int:
    """Price comparing two values: two texts are read up to the end of the shorter one."""
    if isinstance(left, str) and isinstance(right, str):
        return min(len(left), len(right))
    if is_compound(left) and is_compound(right):
        return weigh(left) + weigh(right)
    return 0


def strip_price(text: object, characters: object = None, *_more: object) -> int:
    """Price stripping: each character is looked for among those to strip."""
    return weigh(text) * (1 + (len(characters) // 8 if isinstance(characters, str) else 0))


def is_compound(value: object) -> bool:
    """Return whether a value has values inside it."""
    return isinstance(value, (list, tuple, Mapping, Result))


def count(value: object) -> int:
    """Return the number of a value's direct parts, 1 for a value without any."""
    return len(value) if isinstance(value, (str, list, tuple, Mapping, MappingView)) else 1


def text_room(times: int) -> Price:
    """Bound the bytes of a text whose characters become up to `times` as many."""
    return lambda text="", *_more: times * _CHARACTER_BYTES * min(weigh(text), limits.EVALUATION_BYTES)


def list_room(values: object = (), *_more: object) -> int:
    """Bound the bytes of a list of the operand's parts; the characters of a text become texts."""
    return (_WORD_BYTES if isinstance(values, str) else 8) * count(values)


def split_room(text: object, separator: object = None, *_more: object) -> int:
    """Bound the bytes of a text's pieces."""
    if not isinstance(text, str):
        return 0
    separates = isinstance(separator, str) and separator
    pieces = text.count(str(separator)) if separates else len(text) // 2
    return sys.getsizeof(text) + (pieces + 1) * _WORD_BYTES


def depth(value: object) -> int:
    """Return how many levels of lists and maps are nested in a value; 1 for a value without parts."""
    levels, inside = 0, [value]
    while inside:
        inside = [part for each in inside for part in list_parts(each)]
        levels += 1
    return levels


def written_room(value: object, *_more: object) -> int:
    """Bound the bytes of `str(value)`: a character may be written as ten, in one byte each."""
    if isinstance(value, str):
        return 0
    return 10 * weigh(value)


def shallow_size(value: object) -> int:
    """Return the bytes of a text, or of a list and the texts in it; other values take few."""
    if isinstance(value, str):
        return sys.getsizeof(value)
    if isinstance(value, list):
        return sys.getsizeof(value) + sum(map(sys.getsizeof, value))
    return 0


def fold_price(value: object, *_more: object) -> int:
    """Price folding: ten units for a character of ASCII, a hundred for others; a few of these become eighteen."""
    if isinstance(value, str) and value.isascii():
        return 10 * len(value)
    return 100 * weigh(value) * _expansion(value)


def fold_room(value: object, *_more: object) -> int:
    """Bound the bytes of folding: the text's words, and two texts."""
    return (
        weigh(value) * (_WORD_BYTES // 2 + 2 * _CHARACTER_BYTES) * (_expansion(value) if weigh(value) > _SHORT else 1)
    )


def _expansion(value: object) -> int:
    return 18 if isinstance(value, str) and ("\ufdfa" in value or "\ufdfb" in value) else 1


def fold_once(value: object) -> str:
    """Fold as `fold` does, a long text once for each evaluation: loops look for many words in one text."""
    if not isinstance(value, str) or len(value) < _SHORT:
        limits.get_meter().pay(fold_price(value))
        return fold(value)
    meter = limits.get_meter()
    if value not in meter.folded:
        meter.pay(fold_price(value))
        meter.need(fold_room(value))
        if len(meter.folded) == _MAXIMUM_FOLDED:
            meter.folded.clear()
        meter.folded[value] = fold(value)
    return meter.folded[value]
