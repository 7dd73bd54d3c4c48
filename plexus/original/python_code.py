"""Python in scorecards: a function that is one expression in disguise becomes that expression; nothing is executed.

Understood: assignments to names and keys, `+=`, `append`, `if` and `else`, loops that collect, `return`, and calls of
`print` and of a logger, which are left out. The expression itself is checked by the restricted language, whose limits
apply to it.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from plexus.original.python_loops import find_exit, read_loop
from plexus.original.python_names import INSTEAD, Names, UnsupportedCode, write
from plexus.original.python_statements import Values, is_silent, merge_paths, read_assignment, replace_names

#: Parts of the expression at most: each `if` doubles the paths behind it, and each assigned name is spelt out.
MAXIMUM_PARTS = 5_000


@dataclass(frozen=True)
class _Choice:
    """`then` where the test is true, otherwise `other`; both are results or choices."""

    test: ast.expr
    then: _Tree
    other: _Tree


_Tree: TypeAlias = "dict[str, ast.expr] | _Choice"
_Reader: TypeAlias = Callable[[ast.expr], "_Tree"]


def read_classifier(code: str, names: Names) -> tuple[str, dict[str, str], bool]:
    """Return the value's expression of `def score(parameters, input)`, and those of the result's metadata by key.

    `explanation` is one of these keys, if a path has it, and empty on the others. Another key is None on a path without
    it. The third is whether a path returns None: there, value and explanation are those of the nodes before, if they
    have one. Raises UnsupportedCode.
    """
    function, constants = _find_function(code, "score")
    skipped: list[ast.expr] = []
    unchanged: dict[str, ast.expr] = {"value": ast.Constant("None")}
    fields = {"value": "classification", "explanation": "explanation"}
    unchanged |= {key: ast.Name(field, ast.Load()) for key, field in fields.items() if field in names.aliases}

    def read(value: ast.expr) -> _Tree:
        if isinstance(value, ast.Constant) and value.value is None:
            skipped.append(value)
            return {key: ast.copy_location(copy.deepcopy(field), value) for key, field in unchanged.items()}
        if isinstance(value, ast.IfExp):
            return _Choice(value.test, read(value.body), read(value.orelse))
        return _read_score_result(value)

    tree = _Paths(read).follow(function.body, constants, function)
    names = names.of(_find_argument(function, 1))
    optional = _list_all_components(tree) - {"value"}
    return (
        write(_select(tree, "value", function), names),
        {key: write(_select(tree, key, function, optional), names) for key in sorted(optional)},
        bool(skipped),
    )


def read_node(code: str, function_name: str, mapping: dict[str, str], names: Names) -> dict[str, str]:
    """Return alias → expression of `def execute(context)`; `mapping` renames the keys of the map that it returns.

    Raises UnsupportedCode.
    """
    function, constants = _find_function(code, function_name)
    tree = _Paths(_read_map).follow(function.body, constants, function)
    names = names.of(_find_argument(function, 0))
    keys = _list_components(tree)
    wanted = mapping or {key: key for key in sorted(keys)}
    if missing := [key for key in wanted.values() if key not in keys]:
        advice = "add the key to the map that it returns, or remove it from `output_mapping`"
        raise UnsupportedCode(function, f"the function returns no {missing[0]!r}", advice)
    return {alias: write(_select(tree, key, function), names) for alias, key in wanted.items()}


def _find_function(code: str, name: str) -> tuple[ast.FunctionDef, Values]:
    """Return the function, and the names that the module gives a value that is spelt out."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnsupportedCode(find_error_place(error), "it is not Python") from None
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return statement, _read_constants(body)
    raise UnsupportedCode(body[0] if body else ast.Pass(), f"it has no function {name!r}")


def _read_constants(body: Sequence[ast.stmt]) -> Values:
    constants: Values = {}
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and (assignment := read_assignment(statement, {})):
            name, value = assignment
            constants.pop(name, None)
            with contextlib.suppress(ValueError):
                ast.literal_eval(value)
                constants[name] = value
    return constants


def find_error_place(error: BaseException) -> ast.AST:
    """Return a node with the line of a syntax error."""
    return ast.Pass(lineno=getattr(error, "lineno", None) or 1)


def _find_argument(function: ast.FunctionDef, place: int) -> str:
    listed = function.args.args
    if len(listed) <= place:
        raise UnsupportedCode(function, f"the function has {len(listed)} parameters, expected at least {place + 1}")
    return listed[place].arg


class _Paths:
    """Follows the paths through a function; counts the parts that this takes, since they grow without bounds."""

    def __init__(self, read: _Reader) -> None:
        self.read, self.parts = read, 0

    def follow(self, statements: Sequence[ast.stmt], values: Values, place: ast.AST) -> _Tree:
        """Return what the statements return, with assigned names replaced by their values."""
        for index, statement in enumerate(statements):
            rest = statements[index + 1 :]
            if isinstance(statement, ast.Return):
                nothing = ast.copy_location(ast.Constant(None), statement)
                return self.read(self._replace(statement.value or nothing, values))
            if isinstance(statement, ast.For) and _has_return(statement):
                test, returned = find_exit(statement, values, self._replace)
                return _Choice(test, self.read(returned), self.follow(rest, values, place))
            if isinstance(statement, ast.If) and _has_return(statement):
                then = self.follow([*statement.body, *rest], values, statement)
                other = self.follow([*statement.orelse, *rest], values, statement)
                return _Choice(self._replace(statement.test, values), then, other)
            values = self._assign(statement, values)
        return self.read(ast.copy_location(ast.Constant(None), place))

    def _assign(self, statement: ast.stmt, values: Values) -> Values:
        """Return the names' values after a statement that does not return."""
        if isinstance(statement, ast.If):
            test, then, other = self._replace(statement.test, values), values, values
            for inner in statement.body:
                then = self._assign(inner, then)
            for inner in statement.orelse:
                other = self._assign(inner, other)
            # A name with a value on one path only is reported where it is used.
            return merge_paths(test, then, other)
        if isinstance(statement, ast.For):
            return read_loop(statement, values, self._replace)
        if (assignment := read_assignment(statement, values)) is not None:
            name, value = assignment
            return {**values, name: self._replace(value, values)}
        if not is_silent(statement):
            kind = type(statement).__name__
            raise UnsupportedCode(statement, f"a statement of the kind {kind}", INSTEAD.get(kind, ""))
        return values

    def _replace(self, expression: ast.expr, values: Values) -> ast.expr:
        replaced = replace_names(expression, values)
        self.parts += sum(1 for _ in ast.walk(replaced))
        if self.parts > MAXIMUM_PARTS:
            raise UnsupportedCode(expression, f"its paths have more than {MAXIMUM_PARTS} parts")
        return replaced


def _has_return(statement: ast.stmt) -> bool:
    return any(isinstance(inner, ast.Return) for inner in ast.walk(statement))


def _read_score_result(value: ast.expr) -> dict[str, ast.expr]:
    """Read `Score.Result(value=…, explanation=…, metadata={"explanation": …, …})`."""
    if not (isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] == "Result"):
        raise UnsupportedCode(value, "it returns something else than Score.Result(...)")
    parts = {keyword.arg: keyword.value for keyword in value.keywords if keyword.arg in ("value", "explanation")}
    for keyword in value.keywords:
        if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
            parts = {**_read_map(keyword.value), **parts}
    if "value" not in parts:
        raise UnsupportedCode(value, "the result has no value")
    return {str(key): expression for key, expression in parts.items()}


def _read_map(value: ast.expr) -> dict[str, ast.expr]:
    if isinstance(value, ast.Constant) and value.value is None:
        raise UnsupportedCode(value, "a path through the function returns nothing", "end each path with a `return`")
    if not isinstance(value, ast.Dict):
        raise UnsupportedCode(value, "it returns something else than a map that is spelt out")
    parts = {}
    for key, member in zip(value.keys, value.values, strict=True):
        if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
            raise UnsupportedCode(value, "a key of the map is not spelt out")
        parts[key.value] = member
    return parts


def _list_components(tree: _Tree) -> set[str]:
    """Return the components that every result of the tree has."""
    if isinstance(tree, _Choice):
        return _list_components(tree.then) & _list_components(tree.other)
    return set(tree)


def _list_all_components(tree: _Tree) -> set[str]:
    """Return the components that any result of the tree has."""
    if isinstance(tree, _Choice):
        return _list_all_components(tree.then) | _list_all_components(tree.other)
    return set(tree)


def _select(tree: _Tree, component: str, place: ast.AST, optional: Collection[str] = ()) -> ast.expr:
    if isinstance(tree, _Choice):
        then, other = (_select(part, component, place, optional) for part in (tree.then, tree.other))
        return ast.IfExp(tree.test, then, other)
    if component in tree:
        return tree[component]
    if component in optional:
        return ast.Constant("" if component == "explanation" else None)
    raise UnsupportedCode(place, f"a path through the function returns no {component!r}")
