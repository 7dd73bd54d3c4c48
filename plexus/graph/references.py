"""Aliases: which of an `output`'s values are state fields, and which are literals.

That is decided once, when the graph is built: a name that the graph defines anywhere is a field for good. So a branch
that did not set it is an error there, and never quietly the name itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from plexus.exceptions import ScoringFailed

_MISSING = object()


@dataclass(frozen=True)
class Reference:
    """A path to a field: ("classification",) or ("first_node", "explanation")."""

    parts: tuple[str, ...]

    def find(self, *places: Mapping[str, Any]) -> Any:
        """The value in the first place that has it. Raises ScoringFailed when none has."""
        for place in places:
            value: Any = place
            for part in self.parts:
                value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
            if value is not _MISSING:
                return value
        raise ScoringFailed(f"the field {'.'.join(self.parts)!r} has no value on the way that the graph took")


def reference(value: Any, known: Collection[str]) -> Reference | None:
    """The field that a value of an `output` names, None for a literal."""
    if not isinstance(value, str):
        return None
    parts = tuple(value.split("."))
    return Reference(parts) if parts[0] in known else None


@dataclass(frozen=True)
class Outputs:
    """A compiled `output`: alias → field or literal."""

    entries: tuple[tuple[str, Reference | None, Any], ...]

    @classmethod
    def of(cls, output: Mapping[str, Any], known: Collection[str]) -> Outputs:
        """`known` are the names that the graph defines."""
        return cls(tuple((alias, reference(value, known), value) for alias, value in output.items()))

    def resolve(self, *places: Mapping[str, Any]) -> dict[str, Any]:
        """The aliases' values. Raises ScoringFailed for a field that has none."""
        return {alias: literal if field is None else field.find(*places) for alias, field, literal in self.entries}

    def resolve_known(self, *places: Mapping[str, Any]) -> dict[str, Any]:
        """The aliases that have a value; the others are left out."""
        found: dict[str, Any] = {}
        for entry in self.entries:
            try:
                found |= Outputs((entry,)).resolve(*places)
            except ScoringFailed:
                continue
        return found
