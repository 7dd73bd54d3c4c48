"""The operators of the restricted language, bounded so that no value can grow without limit."""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from plexus.exceptions import LimitExceeded, ScoringFailed, UnsafeCode
from plexus.language.prices import Operation, compare_price, contains_price, count, free, is_compound, list_parts, weigh

MAXIMUM_LENGTH = 1_000_000
MAXIMUM_NUMBER = 10**18
#: Limits of a list or map with everything inside it: a few nested lists that share parts can print as gigabytes.
MAXIMUM_PARTS = 100_000
MAXIMUM_CHARACTERS = 10_000_000
_MAXIMUM_DIGITS = 18

Value = TypeVar("Value")
Binary = Callable[[object, object], object]


def check_size(value: Value) -> Value:
    """Return the value. Raises LimitExceeded for more than MAXIMUM_LENGTH elements, or above MAXIMUM_NUMBER."""
    if isinstance(value, (str, list, tuple, dict)) and len(value) > MAXIMUM_LENGTH:
        raise LimitExceeded(f"a value of the expression is too long: at most {MAXIMUM_LENGTH} elements")
    if isinstance(value, int) and abs(value) > MAXIMUM_NUMBER:
        raise LimitExceeded(f"a number of the expression is too large: at most {MAXIMUM_NUMBER}")
    return value


def check_length(value: object) -> None:
    """Raise LimitExceeded for a list or map that is longer than MAXIMUM_LENGTH where it is written as a text."""
    characters, pending = 0, [value] if is_compound(value) else []
    while pending:
        part = pending.pop()
        characters += len(part) if isinstance(part, str) else 1
        pending += list_parts(part)
        if characters > MAXIMUM_LENGTH:
            raise LimitExceeded(f"a value of the expression is too long: at most {MAXIMUM_LENGTH} elements")


def count_parts(value: object) -> tuple[int, int]:
    """Count the values in a list or map, nested ones included, and their bytes.

    Raises LimitExceeded for more than MAXIMUM_PARTS values or MAXIMUM_CHARACTERS characters.
    """
    parts, characters, size, pending = 0, 0, 0, [value]
    while pending:
        part = pending.pop()
        parts += 1
        size += sys.getsizeof(part)
        if isinstance(part, str):
            characters += len(part)
        elif isinstance(part, (list, tuple)):
            pending += part
        elif isinstance(part, dict):
            pending += [*part, *part.values()]
        if parts + len(pending) > MAXIMUM_PARTS or characters > MAXIMUM_CHARACTERS:
            raise LimitExceeded(
                f"a list or map is too large: at most {MAXIMUM_PARTS} values and {MAXIMUM_CHARACTERS} characters"
            )
    return parts, size


def round_number(value: object, digits: object = None) -> object:
    """Round as `round` does. Raises LimitExceeded for more than 18 digits: huge numbers of them would take hours."""
    if digits is None:
        return round(value)  # type: ignore[call-overload]  # a TypeError becomes the expression's failure
    if isinstance(digits, int) and abs(digits) > _MAXIMUM_DIGITS:
        raise LimitExceeded(f"round takes at most {_MAXIMUM_DIGITS} digits, got {digits}")
    return round(value, digits)  # type: ignore[call-overload]  # a TypeError becomes the expression's failure


def _restrict_to_numbers(function: Callable[[float, float], float]) -> Binary:
    """Restrict an operator to numbers: `'x' * 10**9` and `'%s' % x` are not arithmetic."""

    def apply(left: object, right: object) -> object:
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            kinds = f"a {type(left).__name__} and a {type(right).__name__}"
            raise ScoringFailed(f"the expression computes with {kinds}, expected two numbers")
        return function(left, right)

    return apply


def _add(left: object, right: object) -> object:
    for kind in (str, list, (int, float)):
        if isinstance(left, kind) and isinstance(right, kind):
            return left + right  # type: ignore[operator]  # both are of the same kind
    raise ScoringFailed(f"the expression adds a {type(left).__name__} and a {type(right).__name__}")


def _add_price(left: object, right: object) -> int:
    return count(left) + count(right)


def _add_room(left: object, right: object) -> int:
    if isinstance(left, list):
        return 8 * (count(left) + count(right))
    return sys.getsizeof(left) + sys.getsizeof(right) if isinstance(left, str) else 0


def _create_arithmetic(function: Callable[[float, float], float]) -> Operation:
    return Operation(_restrict_to_numbers(function), free, free)


def _create_comparison(function: Callable[[Any, Any], object]) -> Operation:
    return Operation(function, compare_price, free)


def _is_in(left: object, right: object) -> object:
    return left in right  # type: ignore[operator]  # a TypeError becomes the expression's failure


BINARY: dict[type[ast.operator], Operation] = {
    ast.Add: Operation(_add, _add_price, _add_room),
    ast.Sub: _create_arithmetic(operator.sub),
    ast.Mult: _create_arithmetic(operator.mul),
    ast.Div: _create_arithmetic(operator.truediv),
    ast.FloorDiv: _create_arithmetic(operator.floordiv),
    ast.Mod: _create_arithmetic(operator.mod),
}
_BY_SYMBOL = {
    "+": BINARY[ast.Add],
    "-": BINARY[ast.Sub],
    "*": BINARY[ast.Mult],
    "/": BINARY[ast.Div],
    "//": BINARY[ast.FloorDiv],
    "%": BINARY[ast.Mod],
}
UNARY: dict[type[ast.unaryop], Operation] = {
    ast.Not: Operation(operator.not_, free, free),
    ast.USub: Operation(operator.neg, free, free),
    ast.UAdd: Operation(operator.pos, free, free),
}
COMPARE: dict[type[ast.cmpop], Operation] = {
    ast.Eq: _create_comparison(operator.eq),
    ast.NotEq: _create_comparison(operator.ne),
    ast.Lt: _create_comparison(operator.lt),
    ast.LtE: _create_comparison(operator.le),
    ast.Gt: _create_comparison(operator.gt),
    ast.GtE: _create_comparison(operator.ge),
    ast.In: Operation(_is_in, contains_price, free),
    ast.NotIn: Operation(lambda left, right: not _is_in(left, right), contains_price, free),
    ast.Is: Operation(operator.is_, free, free),
    ast.IsNot: Operation(operator.is_not, free, free),
}
#: The comparisons by the name that Jinja2 gives them.
COMPARE_BY_NAME = {
    "eq": COMPARE[ast.Eq],
    "ne": COMPARE[ast.NotEq],
    "lt": COMPARE[ast.Lt],
    "lteq": COMPARE[ast.LtE],
    "gt": COMPARE[ast.Gt],
    "gteq": COMPARE[ast.GtE],
    "in": COMPARE[ast.In],
    "notin": COMPARE[ast.NotIn],
}


def find_operator(symbol: str) -> Operation:
    """Return the operator with that symbol. Raises UnsafeCode for `**`, which turns small numbers into huge ones."""
    if symbol not in _BY_SYMBOL:
        raise UnsafeCode(f"the operator {symbol} is not part of the language")
    return _BY_SYMBOL[symbol]


def find_sign(symbol: str) -> Operation:
    """Return the sign with that symbol."""
    return {"+": UNARY[ast.UAdd], "-": UNARY[ast.USub]}[symbol]


def _get(owner: object, key: object) -> object:
    return owner[key]  # type: ignore[index]  # a TypeError becomes the expression's failure


def key_price(key: object) -> int:
    """Price finding a key: a tuple is hashed with all its values."""
    return weigh(key) if isinstance(key, tuple) else 0


#: A member of a list or map, and a part of a text or list, which is copied.
INDEX = Operation(_get, lambda _owner, key: key_price(key), free)
SLICE = Operation(_get, lambda owner, _key: count(owner), lambda owner, _key: sys.getsizeof(owner))
