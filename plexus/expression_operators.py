"""The operators of the restricted expression language, bounded so that no value can grow without end."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from plexus.exceptions import ScoringFailed, UnsafeCode

MAXIMUM_LENGTH = 1_000_000
MAXIMUM_NUMBER = 10**18
#: Values and characters of a list or map with all that is in it: written out, one that shares its parts grows much.
MAXIMUM_PARTS = 100_000
MAXIMUM_CHARACTERS = 10_000_000


def sized(value: Any) -> Any:
    """The value itself. Raises UnsafeCode when it is too long or too large."""
    if isinstance(value, (str, list, tuple, dict)) and len(value) > MAXIMUM_LENGTH:
        raise UnsafeCode(f"a value of the expression has more than {MAXIMUM_LENGTH} elements")
    if isinstance(value, int) and abs(value) > MAXIMUM_NUMBER:
        raise UnsafeCode("a number of the expression is too large")
    return value


def whole(value: Any) -> int:
    """How many values a list or map holds, those within its parts too. Raises UnsafeCode when it is too large."""
    parts, characters, open_ = 0, 0, [value]
    while open_:
        each = open_.pop()
        parts += 1
        if isinstance(each, str):
            characters += len(each)
        elif isinstance(each, (list, tuple)):
            open_ += each
        elif isinstance(each, dict):
            open_ += [*each, *each.values()]
        if parts + len(open_) > MAXIMUM_PARTS or characters > MAXIMUM_CHARACTERS:
            raise UnsafeCode(f"a list or map has more than {MAXIMUM_PARTS} values in all, or too many characters")
    return parts


def rounded(value: Any, digits: Any = None) -> Any:
    """`round` with at most 18 digits: with a great many it would count for hours."""
    if digits is None:
        return round(value)
    if isinstance(digits, int) and abs(digits) > 18:
        raise UnsafeCode("round takes at most 18 digits")
    return round(value, digits)


def _numbers(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Only for numbers: `'x' * 10**9` and `'%s' % x` are not arithmetic."""

    def apply(left: Any, right: Any) -> Any:
        if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise ScoringFailed(f"the expression computes with a {type(left).__name__} and a {type(right).__name__}")
        return function(left, right)

    return apply


def _plus(left: Any, right: Any) -> Any:
    for kind in (str, list, (int, float)):
        if isinstance(left, kind) and isinstance(right, kind):
            return left + right  # type: ignore[operator]  # both are of the same kind
    raise ScoringFailed(f"the expression adds a {type(left).__name__} and a {type(right).__name__}")


BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _plus,
    ast.Sub: _numbers(operator.sub),
    ast.Mult: _numbers(operator.mul),
    ast.Div: _numbers(operator.truediv),
    ast.FloorDiv: _numbers(operator.floordiv),
    ast.Mod: _numbers(operator.mod),
}
_NAMED = {
    "+": BINARY[ast.Add],
    "-": BINARY[ast.Sub],
    "*": BINARY[ast.Mult],
    "/": BINARY[ast.Div],
    "//": BINARY[ast.FloorDiv],
    "%": BINARY[ast.Mod],
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: lambda left, right: left is right,
    ast.IsNot: lambda left, right: left is not right,
}


def operator_named(name: str) -> Callable[[Any, Any], Any]:
    """The operator as it is written. Raises UnsafeCode for one that can make much of little."""
    if name not in _NAMED:
        raise UnsafeCode(f"the operator {name} is not part of the language")
    return _NAMED[name]
