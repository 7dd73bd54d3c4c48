"""Loops of the original's Python that collect, as lists in brackets: `for x in y:` with `if`, `append`, `=` and `+=`.

What a turn reads must not depend on the turns before it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from plexus.original.python_names import INSTEAD, UnsupportedCode
from plexus.original.python_statements import (
    Values,
    create_map,
    is_silent,
    list_members,
    mark_partial,
    read_assignment,
    replace_names,
)

Replace: TypeAlias = Callable[[ast.expr, Values], ast.expr]


@dataclass(frozen=True)
class _Change:
    """What a turn does to a name of before the loop, if all tests are true; `key` is that of a map, if one is set."""

    kind: str  # append, add, set
    key: str | None
    tests: tuple[ast.expr, ...]
    value: ast.expr

    @property
    def test(self) -> ast.expr:
        """All tests as one; True without any."""
        if len(self.tests) < 2:
            return self.tests[0] if self.tests else ast.Constant(True)
        return ast.BoolOp(ast.And(), list(self.tests))


def read_loop(loop: ast.For, values: Values, replace: Replace) -> Values:
    """Return the names' values after a loop without a `return`; `values`, those of before, stay unchanged.

    `replace` puts values in place of the names in an expression. Raises UnsupportedCode, with the node.
    """
    return _Loop(loop, values, replace).read()


def find_exit(loop: ast.For, values: Values, replace: Replace) -> tuple[ast.expr, ast.expr]:
    """Return whether a turn returns, and what the first that does so returns.

    The loop has one `if` at its end, whose body ends with the `return`. Raises UnsupportedCode.
    """
    turns = _Loop(loop, values, replace)
    *before, last = loop.body
    if not isinstance(last, ast.If) or last.orelse or not isinstance(end := last.body[-1], ast.Return):
        raise UnsupportedCode(loop, "a loop that returns in another way than by one `if` at its end", INSTEAD["For"])
    turns.follow([*before], (), turns.values, is_top=True)
    test = turns.replace(last.test, turns.values)
    inner = dict(turns.values)
    turns.follow(last.body[:-1], (), inner, is_top=True)
    if turns.changes:
        raise UnsupportedCode(loop, "a loop that returns, and changes a name too", INSTEAD["For"])
    first = ast.Subscript(turns.collect(ast.Name(turns.variable, ast.Load()), test), ast.Constant(0), ast.Load())
    returned = replace_names(
        turns.replace(end.value or ast.copy_location(ast.Constant(None), end), inner), {turns.variable: first}
    )
    return ast.Call(ast.Name("any", ast.Load()), [turns.collect(test, None)], []), returned


class _Loop:
    """One loop: the changes that a turn makes to the names of before it."""

    def __init__(self, loop: ast.For, values: Values, replace: Replace) -> None:
        if not isinstance(loop.target, ast.Name) or loop.orelse or loop.target.id in ("text", "metadata"):
            raise UnsupportedCode(loop, "a statement of the kind For", INSTEAD["For"])
        self.loop, self.before, self.replace = loop, values, replace
        self.variable = loop.target.id
        self.items = replace(loop.iter, values)
        self.names = {name for name in values if name in _list_changed(loop)} - {self.variable}
        self.values = {name: value for name, value in values.items() if name not in {*self.names, self.variable}}
        self.changes: dict[str, list[_Change]] = {}
        self.ends_early = False

    def read(self) -> Values:
        """Return the values after the loop."""
        breaks = [part for part in ast.walk(self.loop) if isinstance(part, ast.Break)]
        last = self.loop.body[-1]
        self.ends_early = bool(breaks)
        if breaks and not (
            len(breaks) == 1 and isinstance(last, ast.If) and last.body[-1] is breaks[0] and not last.orelse
        ):
            raise UnsupportedCode(breaks[0], "a `break` that does not end one `if` at the loop's end", INSTEAD["For"])
        self.follow(self.loop.body, (), self.values, is_top=True)
        for name, changes in self.changes.items():
            for change in changes:
                self._check(change, name)
        return {**self.before, **{name: self._build(name, changes) for name, changes in self.changes.items()}}

    def follow(
        self, statements: Sequence[ast.stmt], tests: tuple[ast.expr, ...], values: Values, *, is_top: bool = False
    ) -> None:
        """Collect the changes of one turn; `values` are those of names that the turn alone has."""
        own: set[str] = set()
        for statement in statements:
            if isinstance(statement, ast.If):
                test = self.replace(statement.test, values)
                if isinstance(statement.body[-1], ast.Continue) and len(statement.body) == 1 and not statement.orelse:
                    tests = (*tests, ast.UnaryOp(ast.Not(), test))
                    continue
                self.follow(statement.body, (*tests, test), dict(values))
                self.follow(statement.orelse, (*tests, ast.UnaryOp(ast.Not(), test)), dict(values))
            elif isinstance(statement, ast.Break) or is_silent(statement):
                continue
            elif not self._add_change(statement, tests, values):
                assignment = read_assignment(statement, values)
                if assignment is None or (assignment[0] in values.keys() - own and not is_top):
                    raise UnsupportedCode(
                        statement, "a statement in a loop that is more than collecting", INSTEAD["For"]
                    )
                values[assignment[0]] = self.replace(assignment[1], values)
                own.add(assignment[0])

    def _add_change(self, statement: ast.stmt, tests: tuple[ast.expr, ...], values: Values) -> bool:
        """Note what a statement does to a name of before the loop; False if it does nothing to one."""
        kind, key = "set", ""
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(id=name), "append"), [value], [])):
                kind = "append"
            case ast.AugAssign(ast.Name(id=name), ast.Add(), value):
                kind = "add"
            case ast.Assign([ast.Subscript(ast.Name(id=name), ast.Constant(str() as member))], value):
                key = member
            case ast.Assign([ast.Name(id=name)], value):
                pass
            case _:
                return False
        if name not in self.names:
            return False
        change = _Change(kind, key or None, tests, self.replace(value, values))
        self.changes.setdefault(name, []).append(change)
        return True

    def _check(self, change: _Change, name: str) -> None:
        for part in (*change.tests, change.value):
            if read := [each.id for each in ast.walk(part) if isinstance(each, ast.Name) and each.id in self.names]:
                what = f"a turn of the loop reads {read[0]!r}, which an earlier turn changes"
                raise UnsupportedCode(self.loop, what, INSTEAD["For"])
        if len({(each.kind, each.key is None) for each in self.changes[name]}) > 1 or (
            self.ends_early and change.kind == "add"
        ):
            raise UnsupportedCode(self.loop, f"the loop changes {name!r} in several ways", INSTEAD["For"])

    def _build(self, name: str, changes: list[_Change]) -> ast.expr:
        old = self.before[name]
        if changes[0].key is None:
            return self._join(changes, old)
        members = list_members(old)
        if members is None:
            raise UnsupportedCode(self.loop, f"it assigns to a key of {name!r}, which is no map that is spelt out")
        keys = dict.fromkeys(change.key for change in changes if change.key is not None)
        added = {
            key: self._join([each for each in changes if each.key == key], members.get(key, ast.Constant(None)))
            for key in keys
        }
        complete = create_map({**members, **added}, self.loop)
        return mark_partial(complete) if keys.keys() - members.keys() else complete

    def _join(self, changes: list[_Change], old: ast.expr) -> ast.expr:
        """Return the value of a name, or of a key, after the loop."""
        if changes[0].kind == "set":
            value = changes[0].value
            for change in changes[1:]:  # the last of one turn counts
                value = ast.IfExp(change.test, change.value, value)
            tests = [each.test for each in changes]
            every = self.collect(value, tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests))
            sides = [every, ast.List([old], ast.Load())]
            first, second = sides if self.ends_early else reversed(sides)
            place = ast.Constant(0 if self.ends_early else -1)
            return ast.Subscript(ast.BinOp(first, ast.Add(), second), place, ast.Load())
        collected: ast.expr = self._collect_all(changes)
        if self.ends_early:
            collected = ast.Subscript(collected, ast.Slice(None, ast.Constant(1), None), ast.Load())
        if changes[0].kind == "append":
            return ast.BinOp(old, ast.Add(), collected)
        is_text = isinstance(old, ast.JoinedStr) or (isinstance(old, ast.Constant) and isinstance(old.value, str))
        function = ast.Attribute(ast.Constant(""), "join", ast.Load()) if is_text else ast.Name("sum", ast.Load())
        return ast.BinOp(old, ast.Add(), ast.Call(function, [collected], []))

    def _collect_all(self, changes: list[_Change]) -> ast.expr:
        """Return the list of all values, turn by turn."""
        if len(changes) == 1:
            return self.collect(changes[0].value, changes[0].test if changes[0].tests else None)
        parts: list[ast.expr] = [
            ast.IfExp(each.test, ast.List([each.value], ast.Load()), ast.List([], ast.Load())) for each in changes
        ]
        sums = parts[0]
        for part in parts[1:]:
            sums = ast.BinOp(sums, ast.Add(), part)
        inner = ast.comprehension(ast.Name("collected", ast.Store()), sums, [], 0)
        outer = ast.comprehension(ast.Name(self.variable, ast.Store()), self.items, [], 0)
        return ast.ListComp(ast.Name("collected", ast.Load()), [outer, inner])

    def collect(self, value: ast.expr, test: ast.expr | None) -> ast.ListComp:
        """Return `[value for variable in items if test]`."""
        tests = [] if test is None or (isinstance(test, ast.Constant) and test.value is True) else [test]
        loop = ast.comprehension(ast.Name(self.variable, ast.Store()), self.items, tests, 0)
        return copy.deepcopy(ast.copy_location(ast.ListComp(value, [loop]), self.loop))


def _list_changed(loop: ast.For) -> set[str]:
    """Return the names that the loop assigns, adds or appends to."""
    changed: set[str] = set()
    for part in ast.walk(loop):
        match part:
            case ast.Name(id=name, ctx=ast.Store()):
                changed.add(name)
            case ast.Attribute(ast.Name(id=name), "append") | ast.Subscript(ast.Name(id=name), ctx=ast.Store()):
                changed.add(name)
    return changed
