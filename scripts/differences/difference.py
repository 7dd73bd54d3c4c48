"""A setting that differs from the repository's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`subject` is the resource, `setting` its property; both values as text."""

    subject: str
    setting: str
    expected: str
    found: str

    @property
    def is_absence(self) -> bool:
        """Whether the whole resource is absent."""
        return (self.expected, self.found) == ("present", "absent") and not self.setting.startswith("policy ")

    def __str__(self) -> str:
        return f"{self.subject}: {self.setting}: got {self.found}, expected {self.expected}"


def compare(subject: str, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield the settings of `expected` whose value in `actual` differs or is absent."""
    for name, value in expected.items():
        if (got := actual.get(name)) != value:
            yield Difference(subject, name, format_value(value), format_value(got))


def format_value(value: Any) -> str:
    """Format a value; None is `absent`."""
    return "absent" if value is None else str(value)
