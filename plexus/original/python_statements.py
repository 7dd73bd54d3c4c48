"""The statements that do not return: assignments to names and keys, and what the original only logs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from typing import Any, TypeAlias

from plexus.original.python_names import UnsupportedCode

#: The names that were assigned, and their values.
Values: TypeAlias = dict[str, ast.expr]
_SILENT = ("print", "logging", "logger", "log", "log_info", "log_debug", "log_warning", "log_error")


def read_assignment(statement: ast.stmt, values: Mapping[str, ast.expr]) -> tuple[str, ast.expr] | None:
    """Return the name and its new value of `x = y`, `x: int = y`, `x += y`, `x.append(y)` and `x['key'] = y`.

    `x.extend([y])` is one, too. Returns None for another kind of statement. Raises UnsupportedCode for an assignment of
    another form.
    """
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            return name, ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), op, value), statement)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])):
            added = ast.List([value], ast.Load())
            return name, ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), ast.Add(), added), statement)
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[ast.List() as added])
        ):
            return name, ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), ast.Add(), added), statement)
        case ast.Assign(targets=[ast.Subscript(ast.Name(id=name), ast.Constant(value=str() as key))], value=value):
            if (members := list_members(values.get(name))) is not None:
                return name, create_map({**members, key: value}, statement)
            raise UnsupportedCode(statement, f"it assigns to a key of {name!r}, which is no map that is spelt out")
        case ast.Assign():
            raise UnsupportedCode(statement, "it assigns to more than one name")
    return None


def list_members(value: ast.expr | None) -> dict[Any, ast.expr] | None:
    """Return the members of a map whose keys are constants, of any type; None for anything else."""
    if not isinstance(value, ast.Dict):
        return None
    pairs = zip(value.keys, value.values, strict=True)
    members = {key.value: member for key, member in pairs if isinstance(key, ast.Constant)}
    return members if len(members) == len(value.keys) else None


def create_map(members: Mapping[str, ast.expr], place: ast.AST) -> ast.Dict:
    """Return a map with these members."""
    return ast.copy_location(ast.Dict([ast.Constant(key) for key in members], list(members.values())), place)


def merge_paths(test: ast.expr, then: Values, other: Values) -> Values:
    """Return the values after an `if`. A name with a value on one path only is reported where it is used."""
    return {name: _merge(test, then[name], other[name]) for name in then if name in other}


def _merge(test: ast.expr, then: ast.expr, other: ast.expr) -> ast.expr:
    """Return the value after an `if`; `failures + ([x] if test else [])` spells out a long list once, not twice."""
    before = ast.dump(other)
    if ast.dump(then) == before:
        return then
    if isinstance(then, ast.BinOp) and isinstance(then.right, ast.List) and ast.dump(then.left) == before:
        return ast.BinOp(other, then.op, ast.IfExp(test, then.right, ast.List([], ast.Load())))
    members, others = list_members(then), list_members(other)
    if members is None or others is None:
        return ast.IfExp(test, then, other)
    missing = ast.Constant(None)
    keys = {**others, **members}
    merged = {key: _merge(test, members.get(key, missing), others.get(key, missing)) for key in keys}
    return mark_partial(create_map(merged, then)) if members.keys() != others.keys() else create_map(merged, then)


def mark_partial(value: ast.Dict) -> ast.Dict:
    """Mark a map of which some paths do not have all keys: it may be returned, and not be read."""
    value.is_partial = True  # type: ignore[attr-defined]  # a mark that `ast` does not have
    return value


def is_silent(statement: ast.stmt) -> bool:
    """Return whether a statement has no effect on values: an import, a docstring, a message to a log."""
    if isinstance(statement, (ast.Pass, ast.Import, ast.ImportFrom)):
        return True
    if not isinstance(statement, ast.Expr):
        return False
    call = statement.value
    if isinstance(call, ast.Constant):
        return True
    function = call.func if isinstance(call, ast.Call) else None
    root = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(root, ast.Name) and root.id in _SILENT


def replace_names(expression: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """Return a copy of the expression, with each name that was assigned replaced by its value."""
    if isinstance(expression, ast.Name) and expression.id in values:
        return copy.deepcopy(values[expression.id])
    replaced = _Replacer(values).visit(copy.deepcopy(expression))
    assert isinstance(replaced, ast.expr)
    return replaced


class _Replacer(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return a copy of the assigned expression, or the name itself."""
        value = self.values.get(node.id)
        if getattr(value, "is_partial", False):
            raise UnsupportedCode(node, f"it reads {node.id!r}, which has some keys on some paths only")
        return node if value is None else copy.deepcopy(value)
