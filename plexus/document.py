"""YAML text → plain values, each with the line and column that it came from.

The nodes of ruamel.yaml (YAML 1.2: `no` and `on` are words, not booleans) are walked here rather than by its own
constructor: so that duplicate keys, strange tags and alias bombs are found with their place, and nothing but strings,
numbers, booleans, nulls, lists and maps can come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plexus.exceptions import InvalidScorecard
from plexus.problems import Path, Position, Problem

MAXIMUM_BYTES = 1_048_576
MAXIMUM_VALUES = 100_000
_TOP = Position(1, 1)
_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """`value` holds plain values; `source` the text of each scalar as it was written, by path."""

    name: str
    text: str
    value: Any
    positions: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    source: dict[Path, str] = field(default_factory=dict)

    def position(self, path: Path, *, on_key: bool = False) -> Position:
        """Where the value (or its key) stands; for a path that is not there, its nearest parent."""
        places = (self.keys, self.positions) if on_key else (self.positions, self.keys)
        while path:
            for known in places:
                if path in known:
                    return known[path]
            path, places = path[:-1], (self.keys, self.positions)
        return self.positions.get((), _TOP)


def parse(text: str, name: str) -> Document:
    """Raises InvalidScorecard with every problem of the YAML itself."""
    text = text.removeprefix("\ufeff")
    size = len(text.encode(errors="surrogatepass"))
    if size > MAXIMUM_BYTES:
        megabytes = size / 1_048_576
        raise InvalidScorecard([Problem(name, _TOP, f"the file has {megabytes:.1f} MiB; a scorecard may have 1 MiB")])
    root = _compose(text, name)
    if root is None:
        raise InvalidScorecard([Problem(name, _TOP, "the scorecard is empty; it needs at least a name and scores")])
    walk = _Walk(name)
    try:
        value = walk.value(root, ())
    except RecursionError:
        raise InvalidScorecard([Problem(name, _TOP, "the YAML is nested too deeply")]) from None
    if walk.problems:
        raise InvalidScorecard(walk.problems)
    return Document(name, text, value, walk.positions, walk.keys, walk.source)


def _compose(text: str, name: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        raise InvalidScorecard([Problem(name, _TOP, "the YAML is nested too deeply")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(mark.line + 1, mark.column + 1) if mark else _TOP
        message = str(error.problem or error.context)
        hint = "; indent with spaces, not tabs" if "'\\t'" in message else ""
        raise InvalidScorecard([Problem(name, position, f"not YAML: {message}{hint}")]) from None
    except YAMLError as error:
        message = str(error).splitlines()[0]
        raise InvalidScorecard([Problem(name, _TOP, f"not YAML: {message}")]) from None


class _Walk:
    """One pass over the nodes; collects problems rather than stopping at the first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.positions: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self.source: dict[Path, str] = {}
        self._open: set[int] = set()
        self._merged: dict[Path, dict[str, Any]] = {}
        self._seen = 0

    def value(self, node: Any, path: Path) -> Any:
        """The node's plain value."""
        self._seen += 1
        if self._seen > MAXIMUM_VALUES:
            if self._seen == MAXIMUM_VALUES + 1:
                self._problem(node, f"more than {MAXIMUM_VALUES} values once aliases are expanded")
            return None
        if id(node) in self._open:
            self._problem(node, "an alias inside the value that it stands for")
            return None
        self.positions.setdefault(path, _position(node))
        if node.id == "scalar":
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            return self._sequence(node, path) if node.id == "sequence" else self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: Any, path: Path) -> list[Any]:
        return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, child in reversed(node.value):
            if _tag(key) == "merge":
                merged = {**merged, **self._merge(child, path)}
        own: dict[str, Any] = {}
        for key, child in node.value:
            if _tag(key) == "merge":
                continue
            if _tag(key) not in ("str", "timestamp"):
                self._problem(key, f"a key must be text: put {_shown(key)} in quotes")
            elif (name := self._text(key)) in own:
                first = self.keys[(*path, name)]
                self._problem(key, f"the key {name!r} is here twice; first on line {first.line}")
            else:
                # A key of one's own replaces what a merge brought, positions included.
                brought = self._merged.get(path, {})
                if name in brought:
                    self._forget((*path, name), brought.pop(name))
                self.keys[(*path, name)] = _position(key)
                own[name] = self.value(child, (*path, name))
        return {**merged, **own}

    def _merge(self, node: Any, path: Path) -> dict[str, Any]:
        parts = node.value if node.id == "sequence" else [node]
        found: dict[str, Any] = {}
        for part in reversed(parts):  # the first one's keys come last, in place of the others'
            if part.id != "mapping":
                self._problem(part, "<<: takes a map or a list of maps")
                continue
            found |= self.value(part, path) or {}
            self._merged.setdefault(path, {}).update(found)
        return found

    def _forget(self, path: Path, value: Any) -> None:
        for known in (self.positions, self.keys, self.source):
            known.pop(path, None)
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, each in inner:
            self._forget((*path, name), each)

    def _scalar(self, node: Any, path: Path) -> Any:
        self.source[path] = node.value
        kind = _tag(node)
        if kind in ("str", "timestamp"):
            return self._text(node)
        if kind == "null":
            return None
        if kind == "bool":
            return node.value.casefold() == "true"
        if kind in ("int", "float"):
            return self._number(node, kind)
        self._problem(node, f"the tag {node.tag} means nothing here")
        return None

    def _text(self, node: Any) -> str:
        """A scalar's text. JSON writes some characters as two escapes, which YAML's reader leaves apart."""
        text: str = node.value
        if text.isascii():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._problem(node, "half of a character (a lone surrogate, as \\ud800 is)")
            return ""

    def _number(self, node: Any, kind: str) -> int | float | None:
        text = node.value.replace("_", "").casefold()
        try:
            if kind == "int":
                return int(text, 0) if text.lstrip("+-").startswith(("0x", "0o", "0b")) else int(text)
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._problem(node, f"{node.value[:40]!r} is not a number that can be read")
            return None

    def _problem(self, node: Any, message: str) -> None:
        self.problems.append(Problem(self.name, _position(node), message))


def _position(node: Any) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _tag(node: Any) -> str:
    return str(node.tag).removeprefix(_PREFIX)


def _shown(node: Any) -> str:
    return str(node.value) if node.id == "scalar" else "it"
