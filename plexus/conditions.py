"""Conditions on values: of dependencies, and of a graph's state."""

from __future__ import annotations

from typing import Protocol

from plexus.text import fold


class ConditionLike(Protocol):
    """An operator (`==`, `!=`, `in`, `not in`) and what it compares with."""

    @property
    def operator(self) -> str:
        """One of `==`, `!=`, `in`, `not in`."""
        ...

    @property
    def value(self) -> object:
        """One value, or a list for `in` and `not in`."""
        ...


def holds(condition: ConditionLike, value: object) -> bool:
    """Case and spaces are folded; numbers compare as numbers, so that 3 equals 3.0."""
    wanted = condition.value if isinstance(condition.value, list) else [condition.value]
    found = any(same(each, value) for each in wanted)
    return found if condition.operator in ("==", "in") else not found


def same(left: object, right: object) -> bool:
    """Whether two values count as equal."""
    if fold(left) == fold(right):
        return True
    try:
        return float(str(left)) == float(str(right))
    except ValueError:
        return False


def described(name: str, condition: ConditionLike) -> str:
    """The condition as a phrase: `Greeting == Yes`."""
    wanted = condition.value
    shown = ", ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
    return f"{name} {condition.operator} {shown}"
