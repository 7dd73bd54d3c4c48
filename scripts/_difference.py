"""One thing that is not as the repository says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`subject` is what was looked at, `setting` which of its properties; both sides as text."""

    subject: str
    setting: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.setting} is {self.found}, expected {self.expected}"


def compare(subject: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    """The settings of `expected` that `found` has otherwise, or not at all."""
    for name, value in expected.items():
        if (got := found.get(name)) != value:
            yield Difference(subject, name, text(value), text(got))


def text(value: Any) -> str:
    """A value for people; what is absent is said."""
    return "absent" if value is None else str(value)
