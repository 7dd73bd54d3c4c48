"""Parse a scorecard's YAML text to plain values, each with its line and column.

YAML 1.2 is composed to nodes by ruamel.yaml (`no` and `on` are text, not booleans), and the nodes are walked here
instead of by its constructors. So duplicate keys, foreign tags and alias bombs are reported with their place, and the
result consists of strings, numbers, booleans, nulls, lists and maps only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from plexus.exceptions import InvalidScorecard
from plexus.problems import KeyPath, Position, Problem

MAXIMUM_BYTES = 1_048_576
MAXIMUM_VALUES = 100_000
_TOP = Position(1, 1)
_PREFIX = "tag:yaml.org,2002:"

#: A parsed value.
Yaml: TypeAlias = "str | int | float | bool | list[Yaml] | dict[str, Yaml] | None"


@dataclass(frozen=True)
class Document:
    """A parsed YAML text.

    `name` is what problems call the file. `positions` and `keys` locate values and map keys by path. `scalars` holds
    each scalar as it is written, before conversion.
    """

    name: str
    text: str
    value: Yaml
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    scalars: dict[KeyPath, str] = field(default_factory=dict)

    def find_position(self, path: KeyPath, *, on_key: bool = False) -> Position:
        """Return the position of a value, or of its key; for a path that does not exist, of its nearest parent."""
        places = (self.keys, self.positions) if on_key else (self.positions, self.keys)
        while path:
            for known in places:
                if path in known:
                    return known[path]
            path, places = path[:-1], (self.keys, self.positions)
        return self.positions.get((), _TOP)


def parse(text: str, name: str, problems: list[Problem] | None = None) -> Document:
    """Parse a YAML text; a byte order mark at its beginning is ignored.

    With `problems`, those of single values are appended to it; such a value is null in the document.

    Raises InvalidScorecard with every problem of the YAML itself: syntax, duplicate keys, foreign tags, more than
    MAXIMUM_BYTES, or more than MAXIMUM_VALUES values once aliases are expanded.
    """
    text = text.removeprefix("\ufeff")
    # Before parsing: ruamel.yaml's pure-Python parser is slow, and the worker reads cards from a database.
    size = len(text.encode(errors="surrogatepass"))
    if size > MAXIMUM_BYTES:
        megabytes = size / 1_048_576
        raise InvalidScorecard([Problem(name, _TOP, f"the file is too large: got {megabytes:.1f} MiB, at most 1 MiB")])
    root = _compose(text, name)
    if root is None:
        raise InvalidScorecard([Problem(name, _TOP, "the scorecard is empty: expected at least a name and scores")])
    walk = _Walk(name)
    try:
        value = walk.value(root, ())
    except RecursionError:
        raise InvalidScorecard([Problem(name, _TOP, "the YAML is nested too deeply")]) from None
    if walk.problems and problems is None:
        raise InvalidScorecard(walk.problems)
    if problems is not None:
        problems += walk.problems
    return Document(name, text, value, walk.positions, walk.keys, walk.scalars)


def _compose(text: str, name: str) -> Node | None:
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        raise InvalidScorecard([Problem(name, _TOP, "the YAML is nested too deeply")]) from None
    except MarkedYAMLError as error:
        message = str(error.problem or error.context)
        mark = error.problem_mark or error.context_mark
        if error.context_mark and ("end of stream" in message or "stream end" in message):
            mark, message = error.context_mark, "the quote or bracket that opens here is not closed"
        position = Position(mark.line + 1, mark.column + 1) if mark else _TOP
        hint = "; indent with spaces, not tabs" if "'\\t'" in message else ""
        reason = "got a second YAML document, expected one" if "another document" in message else f"not YAML: {message}"
        raise InvalidScorecard([Problem(name, position, reason + hint)]) from None
    except YAMLError as error:
        message = str(error).splitlines()[0]
        raise InvalidScorecard([Problem(name, _TOP, f"not YAML: {message}")]) from None
    return node


class _Walk:
    """One pass over the nodes; collects every problem."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.positions: dict[KeyPath, Position] = {}
        self.keys: dict[KeyPath, Position] = {}
        self.scalars: dict[KeyPath, str] = {}
        self._open: set[int] = set()
        self._merged: dict[KeyPath, dict[str, Yaml]] = {}
        self._count = 0

    def value(self, node: Node, path: KeyPath) -> Yaml:
        self._count += 1
        if self._count > MAXIMUM_VALUES:
            if self._count == MAXIMUM_VALUES + 1:
                self._problem(node, f"more than {MAXIMUM_VALUES} values once aliases are expanded")
            return None
        if id(node) in self._open:
            self._problem(node, "an alias is part of the value that it refers to")
            return None
        # setdefault: the maps that `<<` merges have the same path as the map itself, whose position counts.
        self.positions.setdefault(path, _position(node))
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        self._open.add(id(node))
        try:
            return self._sequence(node, path) if isinstance(node, SequenceNode) else self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: SequenceNode, path: KeyPath) -> list[Yaml]:
        return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]

    def _mapping(self, node: Node, path: KeyPath) -> dict[str, Yaml]:
        merged: dict[str, Yaml] = {}
        for key, child in reversed(node.value):
            if _tag(key) == "merge":
                merged = {**merged, **self._merge(child, path)}
        own: dict[str, Yaml] = {}
        for key, child in node.value:
            if _tag(key) == "merge":
                continue
            is_label = path[-2:] == ("data", "labels") and isinstance(key, ScalarNode)
            if _tag(key) not in ("str", "timestamp") and not is_label:
                self._problem(key, f"a key must be text: put {_quote(key)} in quotes")
            elif (name := self._text(key)) in own:
                first = self.keys[(*path, name)]
                self._problem(key, f"duplicate key {name!r}; first on line {first.line}")
            else:
                # The map's own key replaces a merged one, and with it the positions of the merged value.
                inherited = self._merged.get(path, {})
                if name in inherited:
                    self._forget((*path, name), inherited.pop(name))
                self.keys[(*path, name)] = _position(key)
                own[name] = self.value(child, (*path, name))
        return {**merged, **own}

    def _merge(self, node: Node, path: KeyPath) -> dict[str, Yaml]:
        parts = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, Yaml] = {}
        for part in reversed(parts):  # the first map comes last, so that its keys win
            if not isinstance(part, MappingNode):
                self._problem(part, "<<: expects a map or a list of maps")
                continue
            value = self.value(part, path)
            merged |= value if isinstance(value, dict) else {}
            self._merged.setdefault(path, {}).update(merged)
        return merged

    def _forget(self, path: KeyPath, value: Yaml) -> None:
        for known in (self.positions, self.keys, self.scalars):
            known.pop(path, None)
        if isinstance(value, dict):
            for name, member in value.items():
                self._forget((*path, name), member)
        elif isinstance(value, list):
            for index, member in enumerate(value):
                self._forget((*path, index), member)

    def _scalar(self, node: ScalarNode, path: KeyPath) -> str | int | float | bool | None:
        self.scalars[path] = node.value
        kind = _tag(node)
        if kind in ("str", "timestamp"):
            return self._text(node)
        if kind == "null":
            return None
        if kind == "bool":
            return bool(node.value.casefold() == "true")
        if kind in ("int", "float"):
            return self._number(node, kind)
        self._problem(node, f"unknown tag {node.tag}")
        return None

    def _text(self, node: Node) -> str:
        """Return a scalar's text, with surrogate pairs joined: JSON escapes some characters as two, YAML does not."""
        text: str = node.value
        if text.isascii():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._problem(node, "half of a character (a lone surrogate such as \\ud800)")
            return ""

    def _number(self, node: ScalarNode, kind: str) -> int | float | None:
        text: str = node.value.replace("_", "").casefold()
        try:
            if kind == "int":
                return int(text, 0) if text.lstrip("+-").startswith(("0x", "0o", "0b")) else int(text)
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._problem(node, f"{node.value[:40]!r} is not a readable number")
            return None

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.name, _position(node), message))


def _position(node: Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _tag(node: Node) -> str:
    return str(node.tag).removeprefix(_PREFIX)


def _quote(node: Node) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else "it"
