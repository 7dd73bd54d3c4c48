"""Counts the steps of a backtracking search, as `re` makes one, so that growth is measured without a clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

# The form that `re` itself compiles is behind a private name only: its public alias `sre_parse` warns since 3.11.
from re import _parser  # type: ignore[attr-defined]  # no stub names it
from typing import Any

Node = tuple[Any, Any]
CHARACTERS = ("LITERAL", "NOT_LITERAL", "IN", "ANY")


class Steps:
    """Searches one text from each place on, and counts in `count` how often a node is tried at a place."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self.text, self.count = text, 0
        self.groups: dict[int | None, tuple[int, int]] = {}
        self.flags = pattern.flags
        self._tree = list(_parser.parse(pattern.pattern, pattern.flags))

    def search(self) -> int:
        """Find all matches that do not overlap, and return the number of steps."""
        start = 0
        while start <= len(self.text):
            end = self.end_of_match(start)
            start = start + 1 if end is None or end == start else end
        return self.count

    def match(self, at: int) -> int:
        """Match at one place, and return the number of steps."""
        self.end_of_match(at)
        return self.count

    def end_of_match(self, at: int) -> int | None:
        """Return where a match at that place ends; None if there is none."""
        return next(self._sequence(self._tree, at), None)

    def _sequence(self, nodes: list[Node], at: int) -> Iterator[int]:
        if not nodes:
            yield at
            return
        for place in self._node(nodes[0], at):
            yield from self._sequence(nodes[1:], place)

    def _node(self, node: Node, at: int) -> Iterator[int]:
        """Yield the ends of a node's matches at a place, in the order in which `re` tries them."""
        self.count += 1
        kind, value = str(node[0]), node[1]
        if kind in CHARACTERS:
            return iter([at + 1] if at < len(self.text) and self._is_character(kind, value, self.text[at]) else [])
        ways: dict[str, Callable[[], Iterator[int]]] = {
            "SUBPATTERN": lambda: self._group(value[0], list(value[3]), at),
            "BRANCH": lambda: (end for branch in value[1] for end in self._sequence(list(branch), at)),
            "MAX_REPEAT": lambda: self._greedy(list(value[2]), value[0], int(value[1]), at),
            "MIN_REPEAT": lambda: self._lazy(list(value[2]), value[0], int(value[1]), at),
            "POSSESSIVE_REPEAT": lambda: islice(self._greedy(list(value[2]), value[0], int(value[1]), at), 1),
            "ATOMIC_GROUP": lambda: islice(self._sequence(list(value), at), 1),
            "ASSERT": lambda: iter([at] if self._looks(value, at) else []),
            "ASSERT_NOT": lambda: iter([] if self._looks(value, at) else [at]),
            "AT": lambda: iter([at] if self._is_place(str(value), at) else []),
            "GROUPREF": lambda: self._again(value, at),
        }
        return ways[kind]()

    def _group(self, number: int | None, inner: list[Node], at: int) -> Iterator[int]:
        before = self.groups.get(number)
        for end in self._sequence(inner, at):
            self.groups[number] = (at, end)
            yield end
            if before is not None:
                self.groups[number] = before

    def _again(self, number: int, at: int) -> Iterator[int]:
        start, end = self.groups.get(number, (at, at))
        if self.text.startswith(self.text[start:end], at):
            yield at + end - start

    def _greedy(self, inner: list[Node], least: int, most: int, at: int) -> Iterator[int]:
        # Not recursive for single characters, so that long runs fit.
        if len(inner) == 1 and str(inner[0][0]) in CHARACTERS:
            ends = [at]
            while len(ends) <= most and (end := next(self._node(inner[0], ends[-1]), None)) is not None:
                ends.append(end)
            for end in reversed(ends[least:]):
                self.count += 1
                yield end
            return
        if most > 0:
            for place in self._sequence(inner, at):
                if place > at or least > 0:
                    yield from self._greedy(inner, max(0, least - 1), most - 1, place)
        if least == 0:
            yield at

    def _lazy(self, inner: list[Node], least: int, most: int, at: int) -> Iterator[int]:
        count = 0
        while count <= most:
            if count >= least:
                yield at
            place = next(self._sequence(inner, at), None)
            if place is None or place == at:
                return
            at, count = place, count + 1

    def _looks(self, value: tuple[int, Any], at: int) -> bool:
        direction, inner = value
        if direction > 0:
            return next(self._sequence(list(inner), at), None) is not None
        width = inner.getwidth()[0]
        return at >= width and next(self._sequence(list(inner), at - width), None) == at

    def _is_character(self, kind: str, value: Any, character: str) -> bool:
        """Ask `re` itself about a single character."""
        ignore = self.flags & re.IGNORECASE
        if kind == "ANY":
            return character != "\n" or bool(self.flags & re.DOTALL)
        if kind != "IN":
            same = ord(character) == value or bool(ignore and character.casefold() == chr(value).casefold())
            return same == (kind == "LITERAL")
        negated = any(str(each[0]) == "NEGATE" for each in value)
        return any(_is_in(each, character, bool(ignore)) for each in value) != negated

    def _is_place(self, name: str, at: int) -> bool:
        text = self.text
        if name in ("AT_BEGINNING_STRING", "AT_BEGINNING"):
            is_line = name == "AT_BEGINNING" and self.flags & re.MULTILINE and at > 0 and text[at - 1] == "\n"
            return at == 0 or bool(is_line)
        if name in ("AT_END_STRING", "AT_END"):
            is_line = name == "AT_END" and (
                text[at:] == "\n" or (self.flags & re.MULTILINE and text[at : at + 1] == "\n")
            )
            return at == len(text) or bool(is_line)
        words = [
            re.match(r"\w", text[place : place + 1]) is not None if place >= 0 else False for place in (at - 1, at)
        ]
        return (words[0] != words[1]) == (name == "AT_BOUNDARY")


def _is_in(member: Node, character: str, ignore: bool) -> bool:
    kind, value = str(member[0]), member[1]
    forms = {character, character.casefold(), character.upper()} if ignore else {character}
    if kind == "LITERAL":
        return chr(value) in forms
    if kind == "RANGE":
        return any(len(form) == 1 and value[0] <= ord(form) <= value[1] for form in forms)
    if kind == "CATEGORY":
        name = str(value).removeprefix("CATEGORY_")
        escape = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[name.removeprefix("NOT_")]
        return (re.match(escape, character) is not None) != name.startswith("NOT_")
    return False
