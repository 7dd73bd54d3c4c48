"""Python in scorecards: a function that is one expression in disguise becomes that expression; nothing is executed.

Understood: assignments to names, `if` and `else`, `return`, and calls of `print` and of a logger, which are left out.
The expression itself is checked by the restricted language, whose limits apply to it.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from plexus.exceptions import UnsafeCode
from plexus.language.expression import Expression
from plexus.language.functions import FUNCTIONS

#: Parts of the expression at most: each `if` doubles the paths behind it, and each assigned name is spelt out.
MAXIMUM_PARTS = 5_000
_SILENT = ("print", "logging", "logger")


class UnsupportedCode(Exception):
    """The code is more than an expression; the message has the line in the code, what it is, and what to write."""

    def __init__(self, node: ast.AST, what: str) -> None:
        line = getattr(node, "lineno", 1)
        super().__init__(f"line {line} of the code: {what}. next: write an expression, as in docs/how-to/migration.md")


@dataclass(frozen=True)
class _Choice:
    """`then` where the test is true, otherwise `other`; both are results or choices."""

    test: ast.expr
    then: _Tree
    other: _Tree


_Tree: TypeAlias = "dict[str, ast.expr] | _Choice"
_Reader: TypeAlias = Callable[[ast.expr], "_Tree"]


def read_classifier(code: str, names: Collection[str]) -> tuple[str, str | None]:
    """Return the expressions of the value and of the explanation (None without one) of `def score(parameters, input)`.

    `names` are the aliases of earlier nodes, which the original adds to `input.metadata`. Raises UnsupportedCode.
    """
    function = _find_function(code, "score")
    tree = _read_returns(function, _read_score_result)
    source = _Names(_find_argument(function, 1), names)
    value = _write(_select(tree, "value", function), source)
    parts = _list_components(tree)
    explanation = _write(_select(tree, "explanation", function), source) if "explanation" in parts else None
    return value, explanation


def read_node(code: str, function_name: str, mapping: dict[str, str], names: Collection[str]) -> dict[str, str]:
    """Return alias → expression of `def execute(context)`; `mapping` renames the keys of the map that it returns.

    Raises UnsupportedCode.
    """
    function = _find_function(code, function_name)
    tree = _read_returns(function, _read_map)
    source = _Names(_find_argument(function, 0), names)
    keys = _list_components(tree)
    wanted = mapping or {key: key for key in keys}
    if missing := [key for key in wanted.values() if key not in keys]:
        raise UnsupportedCode(function, f"the function returns no {missing[0]!r}")
    return {alias: _write(_select(tree, key, function), source) for alias, key in wanted.items()}


def _find_function(code: str, name: str) -> ast.FunctionDef:
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnsupportedCode(find_error_place(error), "it is not Python") from None
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return statement
    raise UnsupportedCode(body[0] if body else ast.Pass(), f"it has no function {name!r}")


def find_error_place(error: BaseException) -> ast.AST:
    """Return a node with the line of a syntax error."""
    return ast.Pass(lineno=getattr(error, "lineno", None) or 1)


def _find_argument(function: ast.FunctionDef, place: int) -> str:
    listed = function.args.args
    if len(listed) <= place:
        raise UnsupportedCode(function, f"the function has {len(listed)} parameters, expected at least {place + 1}")
    return listed[place].arg


def _read_returns(function: ast.FunctionDef, read: _Reader) -> _Tree:
    return _Paths(read).follow(function.body, {}, function)


class _Paths:
    """Follows the paths through a function; counts the parts that this takes, since they grow without bounds."""

    def __init__(self, read: _Reader) -> None:
        self.read, self.parts = read, 0

    def follow(self, statements: Sequence[ast.stmt], values: dict[str, ast.expr], place: ast.AST) -> _Tree:
        """Return what the statements return, with assigned names replaced by their values."""
        for index, statement in enumerate(statements):
            rest = statements[index + 1 :]
            if isinstance(statement, ast.Return):
                if statement.value is None:
                    raise UnsupportedCode(statement, "it returns nothing")
                return self.read(self._replace(statement.value, values))
            if isinstance(statement, ast.If):
                then = self.follow([*statement.body, *rest], values, statement)
                other = self.follow([*statement.orelse, *rest], values, statement)
                return _Choice(self._replace(statement.test, values), then, other)
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if not isinstance(target, ast.Name):
                    raise UnsupportedCode(statement, "it assigns to more than one name")
                values = {**values, target.id: self._replace(statement.value, values)}
            elif not _is_silent(statement):
                raise UnsupportedCode(statement, f"a statement of the kind {type(statement).__name__}")
        raise UnsupportedCode(place, "a path through the function returns nothing")

    def _replace(self, expression: ast.expr, values: dict[str, ast.expr]) -> ast.expr:
        replaced = _Values(values).visit(copy.deepcopy(expression))
        self.parts += sum(1 for _ in ast.walk(replaced))
        if self.parts > MAXIMUM_PARTS:
            raise UnsupportedCode(expression, f"its paths have more than {MAXIMUM_PARTS} parts")
        assert isinstance(replaced, ast.expr)
        return replaced


def _is_silent(statement: ast.stmt) -> bool:
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


class _Values(ast.NodeTransformer):
    """Replaces names by the expressions that were assigned to them."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return a copy of the assigned expression, or the name itself."""
        return copy.deepcopy(self.values[node.id]) if node.id in self.values else node


def _read_score_result(value: ast.expr) -> _Tree:
    """Read `Score.Result(value=…, explanation=…, metadata={"explanation": …})`."""
    if isinstance(value, ast.IfExp):
        return _Choice(value.test, _read_score_result(value.body), _read_score_result(value.orelse))
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "Result"):
        raise UnsupportedCode(value, "it returns something else than Score.Result(...)")
    parts = {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg in ("value", "explanation")}
    for keyword in value.keywords:
        if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
            parts = {**_read_map(keyword.value, only="explanation"), **parts}
    if "value" not in parts:
        raise UnsupportedCode(value, "the result has no value")
    return {str(key): expression for key, expression in parts.items()}


def _read_map(value: ast.expr, only: str | None = None) -> dict[str, ast.expr]:
    if not isinstance(value, ast.Dict):
        raise UnsupportedCode(value, "it returns something else than a map that is spelt out")
    parts = {}
    for key, member in zip(value.keys, value.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            raise UnsupportedCode(value, "a key of the map is not spelt out")
        if only in (None, key.value):
            parts[key.value] = member
    return parts


def _list_components(tree: _Tree) -> set[str]:
    """Return the components that every result of the tree has."""
    if isinstance(tree, _Choice):
        return _list_components(tree.then) & _list_components(tree.other)
    return set(tree)


def _select(tree: _Tree, component: str, place: ast.AST) -> ast.expr:
    if isinstance(tree, _Choice):
        return ast.IfExp(tree.test, _select(tree.then, component, place), _select(tree.other, component, place))
    if component not in tree:
        raise UnsupportedCode(place, f"a path through the function returns no {component!r}")
    return tree[component]


class _Names(ast.NodeTransformer):
    """Replaces the function's argument by the names that expressions have: text, metadata, and aliases."""

    def __init__(self, argument: str, names: Collection[str]) -> None:
        self.argument, self.names = argument, names

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """`input.text` → `text`."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == self.argument and node.attr in ("text", "metadata"):
            return ast.Name(node.attr, ast.Load())
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """`context["metadata"]` → `metadata`, `metadata["alias"]` → `alias`."""
        self.generic_visit(node)
        return self._rename_member(node.value, node.slice) or node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`context.get("text")` → `text`, `metadata.get("alias")` → `alias`."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            return self._rename_member(node.func.value, node.args[0]) or node
        return node

    def _rename_member(self, owner: ast.expr, key: ast.expr) -> ast.expr | None:
        if not (isinstance(owner, ast.Name) and isinstance(key, ast.Constant)):
            return None
        of_input = owner.id == self.argument and key.value in ("text", "metadata")
        of_state = owner.id == "metadata" and key.value in self.names
        return ast.Name(str(key.value), ast.Load()) if of_input or of_state else None


def _write(expression: ast.expr, names: _Names) -> str:
    """Return the expression as text. Raises UnsupportedCode if the restricted language does not accept it."""
    renamed = ast.fix_missing_locations(names.visit(copy.deepcopy(expression)))
    used = [node for node in ast.walk(renamed) if isinstance(node, ast.Name)]
    bound = {node.id for node in used if isinstance(node.ctx, ast.Store)}
    known = {"text", "metadata", *names.names, *FUNCTIONS, *bound}
    if unknown := [node.id for node in used if node.id not in known]:
        raise UnsupportedCode(expression, f"it uses {unknown[0]!r}")
    written = ast.unparse(renamed)
    try:
        Expression(written)
    except UnsafeCode as error:
        raise UnsupportedCode(expression, str(error)) from None
    return written
