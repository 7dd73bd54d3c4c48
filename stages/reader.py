"""Reads typed values from a TOML document, and collects all problems instead of stopping at the first."""

import re
from typing import Any

from stages import limits
from stages.secrets import contains_secret


class Reader:
    """One pass over a document. Keys are dotted.

    Every getter returns a value of the right type, and appends to `problems` if the document's value is missing or
    invalid. A key without a default is required.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._values = dict(_flat(document))
        self._known: set[str] = set()

    def read_text(self, key: str, pattern: re.Pattern[str] | None = None, default: str | None = None) -> str:
        """Return a string that `pattern` matches from start to end."""
        value = self._get(key, str, "a string", default)
        if value is None:
            return ""
        if pattern is not None and value != default and not pattern.fullmatch(value):
            self.problems.append(f"{key} = {value!r} is invalid (expected to match {pattern.pattern})")
        return str(value)

    def read_number(self, key: str, allowed: range, default: int | None = None) -> int:
        """Return an integer within `allowed`."""
        value = self._get(key, int, "an integer", default)
        if value is None:
            return allowed.start
        if value not in allowed:
            self.problems.append(f"{key} = {value} is out of range (expected {allowed.start} to {allowed.stop - 1})")
        return int(value)

    def read_optional_number(self, key: str, allowed: range) -> int | None:
        """Return an integer within `allowed`, or None if the key is absent."""
        return self.read_number(key, allowed) if key in self._values else None

    def read_flag(self, key: str, default: bool | None = None) -> bool:
        """Return a boolean."""
        return bool(self._get(key, bool, "true or false", default))

    def read_retention(self, key: str) -> int:
        """Return a number of days that CloudWatch Logs accepts as a retention period."""
        days = self.read_number(key, range(1, 3654))
        if days not in limits.RETENTION_DAYS and not any(problem.startswith(f"{key} ") for problem in self.problems):
            expected = sorted(limits.RETENTION_DAYS)
            self.problems.append(
                f"{key} = {days} is not a retention period of CloudWatch Logs (expected one of {expected})"
            )
        return days

    def read_variables(self, prefix: str) -> dict[str, str]:
        """Return the table `prefix` as environment variables: strings with allowed names that contain no secret."""
        variables = {
            key.removeprefix(f"{prefix}."): value for key, value in self._values.items() if key.startswith(f"{prefix}.")
        }
        self._known |= {f"{prefix}.{name}" for name in variables}
        for name, value in variables.items():
            self.problems.extend(f"{prefix}.{name} {problem}" for problem in _variable_problems(name, value))
        return {name: str(value) for name, value in sorted(variables.items())}

    def list_unknown(self) -> list[str]:
        """Return a problem for each key that no getter read, so that a misspelt setting is not ignored."""
        return [f"{key} is not a setting" for key in sorted(self._values.keys() - self._known)]

    def _get(self, key: str, kind: type, words: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self._values:
            if default is None:
                self.problems.append(f"{key} is missing (expected {words})")
            return default
        value = self._values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.problems.append(f"{key} = {value!r} is not {words}")
            return default
        return value


def _flat(document: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a document with their dotted keys."""
    leaves: list[tuple[str, Any]] = []
    for key, value in document.items():
        leaves.extend(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)])
    return leaves


def _variable_problems(name: str, value: Any) -> list[str]:
    if not isinstance(value, str):
        return [f"= {value!r} is not a string"]
    problems = []
    if not limits.VARIABLE.fullmatch(name):
        problems.append("is not a valid name (expected letters, digits and _, starting with a letter)")
    if name in limits.RESERVED_VARIABLES:
        problems.append("is reserved by Lambda")
    if contains_secret(name, value):
        problems.append("looks like the value of a secret (expected the ARN of a secret or of a parameter)")
    return problems
