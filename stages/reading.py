"""Reads typed values out of a TOML document and collects what is wrong instead of stopping at the first problem."""

import re
from typing import Any

from stages import limits
from stages.secrets import holds_secret


class Reader:
    """One pass over a document: every getter returns a usable value and notes in `problems` what was wrong with it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._values = dict(_flat(document))
        self._known: set[str] = set()

    def text(self, key: str, pattern: re.Pattern[str] | None = None, default: str | None = None) -> str:
        """A string that matches `pattern` whole; without a default the key is required."""
        value = self._get(key, str, "a string", default)
        if value is None:
            return ""
        if pattern is not None and value != default and not pattern.fullmatch(value):
            self.problems.append(f"{key} = {value!r} is not a valid value (expected to match {pattern.pattern})")
        return str(value)

    def number(self, key: str, allowed: range, default: int | None = None) -> int:
        """An integer within `allowed`."""
        value = self._get(key, int, "an integer", default)
        if value is None:
            return allowed.start
        if value not in allowed:
            self.problems.append(f"{key} = {value} is out of range (expected {allowed.start} to {allowed.stop - 1})")
        return int(value)

    def optional_number(self, key: str, allowed: range) -> int | None:
        """An integer within `allowed`, or None where the key is absent."""
        return self.number(key, allowed) if key in self._values else None

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false; without a default the key is required."""
        return bool(self._get(key, bool, "true or false", default))

    def retention(self, key: str) -> int:
        """A number of days that CloudWatch Logs knows."""
        days = self.number(key, range(1, 3654))
        if days not in limits.RETENTION_DAYS and not any(problem.startswith(f"{key} ") for problem in self.problems):
            self.problems.append(
                f"{key} = {days} is not offered by CloudWatch Logs (expected one of {sorted(limits.RETENTION_DAYS)})"
            )
        return days

    def variables(self, prefix: str) -> dict[str, str]:
        """The table `prefix` as environment variables: strings, of allowed names, holding no secret."""
        found = {
            key.removeprefix(f"{prefix}."): value for key, value in self._values.items() if key.startswith(f"{prefix}.")
        }
        self._known |= {f"{prefix}.{name}" for name in found}
        for name, value in found.items():
            self.problems.extend(f"{prefix}.{name} {problem}" for problem in _variable_problems(name, value))
        return {name: str(value) for name, value in sorted(found.items())}

    def unknown(self) -> list[str]:
        """A problem for each key that nothing asked for: a misspelt setting must not be ignored."""
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
    """A document's leaves by dotted key."""
    leaves: list[tuple[str, Any]] = []
    for key, value in document.items():
        leaves.extend(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)])
    return leaves


def _variable_problems(name: str, value: Any) -> list[str]:
    if not isinstance(value, str):
        return [f"= {value!r} is not a string"]
    problems = []
    if not limits.VARIABLE.fullmatch(name):
        problems.append("is no name of an environment variable (expected letters, digits and _, a letter first)")
    if name in limits.RESERVED_VARIABLES:
        problems.append("is reserved by Lambda")
    if holds_secret(name, value):
        problems.append("looks like a secret's value: keep it in Secrets Manager or Parameter Store, and its ARN here")
    return problems
