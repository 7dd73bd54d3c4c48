"""Undefined names in templates."""

from __future__ import annotations

from jinja2 import StrictUndefined


class Absent(StrictUndefined):
    """An undefined name: false in a condition, with all of its fields; an error anywhere else.

    Jinja2 declares that these methods of StrictUndefined always raise, hence the ignored overrides.
    """

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # raises in StrictUndefined
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]  # raises in StrictUndefined
        return isinstance(other, Absent)

    def __ne__(self, other: object) -> bool:  # type: ignore[override]  # raises in StrictUndefined
        return not isinstance(other, Absent)

    def __hash__(self) -> int:  # type: ignore[override]  # raises in StrictUndefined
        return hash(Absent)

    def __getitem__(self, key: object) -> Absent:  # type: ignore[override]  # raises in StrictUndefined
        return self

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("_"):
            raise AttributeError(name)
        return self

    def __repr__(self) -> str:
        return str(self)  # raises: a list that contains it must not be printed either


def require(*values: object) -> None:
    """Raise UndefinedError for the first undefined value; operators and calls would report its type instead."""
    for value in values:
        if isinstance(value, Absent):
            str(value)
