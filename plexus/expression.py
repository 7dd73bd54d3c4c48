"""The restricted expression language of logical nodes and composite scores.

It looks like Python's expressions and is parsed by Python's own parser; then this module alone walks the tree. There
is no name but those given, no attribute but a map's key and a string's plain methods, no call but the functions here,
and every evaluation has a budget of steps and of size. So a scorecard's author can compute, and nothing more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plexus import patterns
from plexus.exceptions import ScoringFailed, UnsafeCode
from plexus.expression_operators import BINARY, COMPARE, UNARY, rounded, sized, whole
from plexus.text import fold
from plexus.values import Result

MAXIMUM_STEPS = 200_000
MAXIMUM_SOURCE = 5_000
_RESULT_FIELDS = ("value", "explanation", "confidence")
_METHODS = ("lower", "upper", "strip", "startswith", "endswith", "count", "split", "title", "isdigit", "find", "get")
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "min": min,
    "max": max,
    "sum": sum,
    "any": any,
    "all": all,
    "abs": abs,
    "round": rounded,
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "sorted": sorted,
    "fold": fold,
    "words": lambda text: str(text).split(),
    "matches": lambda text, pattern: bool(patterns.compiled(str(pattern)).search(str(text))),
    "contains": lambda text, part: fold(part) in fold(text),
}
_PARTS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.keyword, ast.comprehension)
_OPERATORS = {*BINARY, *UNARY}
_CONSTANTS = (str, int, float, bool, type(None))
#: What makes a list or map that was not there before: measured at once, so that nothing can double a few dozen times.
_MAKING = (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp, ast.BinOp)
_PARTS_IN_A_STEP = 20


class Expression:
    """A parsed expression; evaluating it any number of times is safe from several threads.

    Raises UnsafeCode when the source is not an expression of the language.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAXIMUM_SOURCE:
            raise UnsafeCode(f"the expression has {len(source)} characters; {MAXIMUM_SOURCE} are allowed")
        try:
            self.tree = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
            raise UnsafeCode(f"not an expression: {reason}") from None
        problem = next(_problems(self.tree), None)
        if problem:
            raise UnsafeCode(problem)

    @property
    def names(self) -> set[str]:
        """The names that must be given, without functions and loop variables."""
        loaded = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        bound = {
            node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        return loaded - bound - set(_FUNCTIONS)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The value. Raises ScoringFailed for an error of the computation, UnsafeCode when it is too large."""
        try:
            return _Evaluation(values).value(self.tree)
        except (UnsafeCode, ScoringFailed):
            raise
        except RecursionError:
            raise UnsafeCode("the expression is nested too deeply") from None
        except Exception as error:
            # The message of a failed computation may quote the text; its kind is enough.
            raise ScoringFailed(f"the expression failed: {type(error).__name__}") from None


def _problems(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, _PARTS):
            continue
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, _CONSTANTS):
                yield f"a {type(node.value).__name__} is not part of the language"
        elif isinstance(node, (ast.Attribute, ast.Name)):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name.startswith("_"):
                yield f"{name!r}: names that begin with _ are not part of the language"
        elif isinstance(node, ast.Call):
            yield from _call_problems(node)
        elif type(node).__name__ not in _Evaluation.HANDLERS:
            yield f"{type(node).__name__} is not part of the language"
    yield from _operator_problems(tree)


def _call_problems(node: ast.Call) -> Iterator[str]:
    called = node.func
    if isinstance(called, ast.Name) and called.id not in _FUNCTIONS:
        yield f"there is no function {called.id!r}; known: {', '.join(_FUNCTIONS)}"
    elif isinstance(called, ast.Attribute) and called.attr not in _METHODS:
        yield f"there is no method {called.attr!r}; known: {', '.join(_METHODS)}"
    elif not isinstance(called, (ast.Name, ast.Attribute)):
        yield "only functions and methods can be called"
    if any(isinstance(argument, ast.Starred) for argument in node.args) or node.keywords:
        yield "a call takes plain arguments only"


def _operator_problems(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.operator, ast.unaryop)) and type(node) not in _OPERATORS:
            yield f"the operator {type(node).__name__} is not part of the language"
        if isinstance(node, ast.comprehension) and node.is_async:
            yield "async is not part of the language"


class _Evaluation:
    """One evaluation with its own budget of steps."""

    HANDLERS = frozenset(
        (
            *("BoolOp", "BinOp", "UnaryOp", "IfExp", "Compare", "Subscript", "Slice"),
            *("List", "Tuple", "Dict", "JoinedStr", "FormattedValue", "ListComp", "GeneratorExp"),
        )
    )

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)
        self.steps = 0

    def value(self, node: ast.AST) -> Any:
        self._count(1)
        value = sized(getattr(self, type(node).__name__)(node))
        if isinstance(value, (list, tuple, dict)) and isinstance(node, _MAKING):
            self._count(whole(value) // _PARTS_IN_A_STEP)
        return value

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAXIMUM_STEPS:
            raise UnsafeCode(f"the expression took more than {MAXIMUM_STEPS} steps")

    def Constant(self, node: ast.Constant) -> Any:
        return node.value

    def Name(self, node: ast.Name) -> Any:
        if node.id in self.values:
            return self.values[node.id]
        raise ScoringFailed(f"the expression uses {node.id!r}, which has no value here")

    def BoolOp(self, node: ast.BoolOp) -> Any:
        wanted = isinstance(node.op, ast.Or)
        value: Any = None
        for each in node.values:
            value = self.value(each)
            if bool(value) is wanted:
                break
        return value

    def BinOp(self, node: ast.BinOp) -> Any:
        return BINARY[type(node.op)](self.value(node.left), self.value(node.right))

    def UnaryOp(self, node: ast.UnaryOp) -> Any:
        return UNARY[type(node.op)](self.value(node.operand))

    def IfExp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def Compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not COMPARE[type(operator)](left, right):
                return False
            left = right
        return True

    def Attribute(self, node: ast.Attribute) -> Any:
        return _field(self.value(node.value), node.attr)

    def Subscript(self, node: ast.Subscript) -> Any:
        owner, key = self.value(node.value), self.value(node.slice)
        if isinstance(owner, Mapping) and key not in owner and isinstance(node.slice, ast.Constant):
            raise ScoringFailed(f"the expression uses [{key!r}], which is not there (a skipped score has no result)")
        return owner[key]

    def Slice(self, node: ast.Slice) -> slice:
        return slice(*(self.value(each) if each else None for each in (node.lower, node.upper, node.step)))

    def List(self, node: ast.List) -> list[Any]:
        return [self.value(each) for each in node.elts]

    def Tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self.value(each) for each in node.elts)

    def Dict(self, node: ast.Dict) -> dict[Any, Any]:
        if None in node.keys:
            raise UnsafeCode("** is not part of the language")
        keys = [self.value(each) for each in node.keys if each is not None]
        return dict(zip(keys, (self.value(each) for each in node.values), strict=True))

    def JoinedStr(self, node: ast.JoinedStr) -> str:
        return "".join(str(self.value(each)) for each in node.values)

    def FormattedValue(self, node: ast.FormattedValue) -> str:
        if node.format_spec is not None or node.conversion != -1:
            raise UnsafeCode("formats are not part of the language")
        return str(self.value(node.value))

    def ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> list[Any]:
        return list(self._looped(node.elt, node.generators))

    GeneratorExp = ListComp

    def _looped(self, element: ast.expr, loops: list[ast.comprehension]) -> Iterator[Any]:
        if not loops:
            yield self.value(element)
            return
        target = loops[0].target
        if not isinstance(target, ast.Name):
            raise UnsafeCode("a loop takes one plain variable")
        outside = self.values
        for each in self.value(loops[0].iter):
            self.values = {**outside, target.id: each}
            if all(self.value(test) for test in loops[0].ifs):
                yield from self._looped(element, loops[1:])
        self.values = outside  # the loop's variable is its own: outside, the name means what it meant

    def Call(self, node: ast.Call) -> Any:
        arguments = [self.value(each) for each in node.args]
        if isinstance(node.func, ast.Name):
            return _FUNCTIONS[node.func.id](*arguments)
        assert isinstance(node.func, ast.Attribute)
        owner = self.value(node.func.value)
        name = node.func.attr
        if (name == "get") != isinstance(owner, dict) or not isinstance(owner, (str, dict)):
            raise ScoringFailed(f"the expression calls {name} of a {type(owner).__name__}")
        return getattr(owner, name)(*arguments)


def _field(owner: Any, name: str) -> Any:
    if isinstance(owner, Result) and name in _RESULT_FIELDS:
        return getattr(owner, name)
    if isinstance(owner, dict):
        if name in owner:
            return owner[name]
        raise ScoringFailed(f"the expression uses the field {name!r}, which has no value here")
    raise ScoringFailed(f"the expression uses the field {name!r} of a {type(owner).__name__}")
