"""The values of an `output`: references to state fields, and literals.

Which of the two a value is, is decided once, when the graph is compiled: a name that the graph defines anywhere is
always a field. On a path that did not set it, it is an error, and never silently the name itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from plexus.exceptions import ScoringFailed

# None is a value that a field may have.
_MISSING = object()


@dataclass(frozen=True)
class Reference:
    """A path to a field: ("classification",) or ("first_node", "explanation")."""

    parts: tuple[str, ...]

    def find(self, *scopes: Mapping[str, object]) -> object:
        """Return the value in the first scope that has it. Raises ScoringFailed if none has."""
        for scope in scopes:
            value: object = scope
            for part in self.parts:
                value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
            if value is not _MISSING:
                return value
        raise ScoringFailed(f"the field {'.'.join(self.parts)!r} has no value on the path that the graph took")


def parse_reference(value: object, known: Collection[str]) -> Reference | None:
    """Return the field that an `output`'s value refers to, None for a literal; `known` are the graph's names."""
    if not isinstance(value, str):
        return None
    parts = tuple(value.split("."))
    return Reference(parts) if parts[0] in known else None


@dataclass(frozen=True)
class Outputs:
    """A compiled `output`: (alias, field or None, literal)."""

    entries: tuple[tuple[str, Reference | None, object], ...]

    @classmethod
    def of(cls, output: Mapping[str, object], known: Collection[str]) -> Outputs:
        """Compile an `output`; `known` are the names that the graph defines."""
        return cls(tuple((alias, parse_reference(value, known), value) for alias, value in output.items()))

    def resolve(self, *scopes: Mapping[str, object]) -> dict[str, object]:
        """Return the aliases' values. Raises ScoringFailed for a field without a value."""
        return {alias: literal if field is None else field.find(*scopes) for alias, field, literal in self.entries}

    def resolve_known(self, *scopes: Mapping[str, object]) -> dict[str, object]:
        """Return the values of the aliases that have one."""
        resolved: dict[str, object] = {}
        for entry in self.entries:
            try:
                resolved |= Outputs((entry,)).resolve(*scopes)
            except ScoringFailed:
                continue
        return resolved
