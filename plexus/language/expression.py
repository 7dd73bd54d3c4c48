"""Expressions of logical nodes and composite scores.

They look like Python's and are parsed by Python's own parser, but evaluated by this module alone. The only names are
the values passed in, the only attributes a result's fields, a map's keys and plain string methods, the only functions
those of functions.py. Each evaluation has a budget of steps, of work (each operation is paid before it runs, at a price
that depends on its operands) and of memory, and checks the deadline.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from plexus import limits
from plexus.exceptions import LimitExceeded, ScoringFailed, UnsafeCode
from plexus.language import prices
from plexus.language.functions import FUNCTIONS, MATCHES_CONSTANT, METHODS
from plexus.language.operators import (
    BINARY,
    COMPARE,
    INDEX,
    MAXIMUM_LENGTH,
    SLICE,
    UNARY,
    check_size,
    count_parts,
)
from plexus.language.prices import Operation
from plexus.limits import Meter
from plexus.values import Result

MAXIMUM_STEPS = 200_000
MAXIMUM_SOURCE = 5_000
_RESULT_FIELDS = ("value", "explanation", "confidence")
_PARTS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.keyword, ast.comprehension)
_OPERATORS = {*BINARY, *UNARY}
_CONSTANTS = (str, int, float, bool, type(None))
#: Nodes that create a new list or map. Its parts are counted at once: doubled a few dozen times, it would fill memory.
#: The values of other nodes exist already, or are texts or flat lists.
_CREATING = (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp, ast.BinOp)
_PARTS_PER_STEP = 20
#: Nodes that create a new text or flat list, and nodes whose value is that of one of their parts.
_FLAT = (ast.Call, ast.Subscript, ast.JoinedStr, ast.FormattedValue)
_PASSING = (ast.BoolOp, ast.IfExp)


class Expression:
    """A parsed expression. Evaluating it changes nothing, so several threads may share it.

    Raises UnsafeCode if the source is longer than MAXIMUM_SOURCE or is not an expression of the language.
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAXIMUM_SOURCE:
            raise UnsafeCode(f"the expression is too long: got {len(source)} characters, at most {MAXIMUM_SOURCE}")
        try:
            self.tree = ast.parse(source.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
            raise UnsafeCode(f"not an expression: {reason}") from None
        problem = next(_find_problems(self.tree), None)
        if problem:
            raise UnsafeCode(problem)

    @property
    def names(self) -> set[str]:
        """The names that an evaluation needs, without functions and loop variables."""
        loaded = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        bound = {
            node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        return loaded - bound - set(FUNCTIONS)

    def __call__(self, values: Mapping[str, object]) -> object:
        """Evaluate the expression.

        Raises ScoringFailed if the computation fails (an undefined name, a type error, a division by zero), and
        LimitExceeded if it exceeds MAXIMUM_STEPS, a size limit or a limit of its meter. No message quotes a value.
        """
        try:
            with limits.use_meter(Meter("the expression")) as meter:
                return _Evaluation(values, meter).value(self.tree)
        except ScoringFailed:
            raise
        except RecursionError:
            raise UnsafeCode("the expression is nested too deeply") from None
        except Exception as error:
            # The exception's own message may quote the text, and this one is logged.
            raise ScoringFailed(f"the expression failed: {type(error).__name__}") from None


def _find_problems(tree: ast.AST) -> Iterator[str]:
    """Yield a message for each part of the source that is not part of the language."""
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
            yield from _find_call_problems(node)
        elif type(node).__name__ not in _Evaluation.HANDLERS:
            yield f"{type(node).__name__} is not part of the language"
    yield from _find_operator_problems(tree)


def _find_call_problems(node: ast.Call) -> Iterator[str]:
    called = node.func
    if isinstance(called, ast.Name) and called.id not in FUNCTIONS:
        yield f"there is no function {called.id!r}; known: {', '.join(FUNCTIONS)}"
    elif isinstance(called, ast.Attribute) and called.attr not in METHODS:
        yield f"there is no method {called.attr!r}; known: {', '.join(METHODS)}"
    elif not isinstance(called, (ast.Name, ast.Attribute)):
        yield "only functions and methods can be called"
    # Star arguments and keywords would need checks of their own, and no author has needed them.
    if any(isinstance(argument, ast.Starred) for argument in node.args) or node.keywords:
        yield "a call takes positional arguments only"


def _find_operator_problems(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.operator, ast.unaryop)) and type(node) not in _OPERATORS:
            yield f"the operator {type(node).__name__} is not part of the language"
        if isinstance(node, ast.comprehension) and node.is_async:
            yield "async is not part of the language"
        if isinstance(node, ast.comprehension) and not isinstance(node.target, ast.Name):
            yield "a loop takes one plain variable"
        if isinstance(node, ast.FormattedValue) and (node.format_spec is not None or node.conversion != -1):
            yield "formats are not part of the language"
        if isinstance(node, ast.Dict) and None in node.keys:
            yield "** is not part of the language"


class _Evaluation:
    """One evaluation with its own budget of steps. A method is named after the class of node that it evaluates."""

    HANDLERS = frozenset(
        (
            *("BoolOp", "BinOp", "UnaryOp", "IfExp", "Compare", "Subscript", "Slice"),
            *("List", "Tuple", "Dict", "JoinedStr", "FormattedValue", "ListComp", "GeneratorExp"),
        )
    )

    def __init__(self, values: Mapping[str, object], meter: Meter) -> None:
        self.values, self.meter = dict(values), meter
        self.steps = 0

    def value(self, node: ast.AST) -> object:
        self._count(1)
        held = self.meter.held
        value: object = check_size(getattr(self, type(node).__name__)(node))
        # The values that the node's parts created are dead now, unless they are inside the node's own value.
        if not isinstance(node, _PASSING):
            self.meter.held = held
            if isinstance(node, _CREATING):
                self._hold_created(value)
            elif isinstance(node, _FLAT):
                self.meter.hold(prices.shallow_size(value))
        return value

    def _hold_created(self, value: object) -> None:
        if isinstance(value, (list, tuple, dict)):
            parts, size = count_parts(value)
            self._count(parts // _PARTS_PER_STEP)
            self.meter.pay(parts * prices.PART)
            self.meter.hold(size)
        elif isinstance(value, str):
            self.meter.hold(sys.getsizeof(value))

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAXIMUM_STEPS:
            raise LimitExceeded(f"the expression took more than {MAXIMUM_STEPS} steps")
        self.meter.pay(steps * prices.STEP)

    def Constant(self, node: ast.Constant) -> object:
        return node.value

    def Name(self, node: ast.Name) -> object:
        if node.id in self.values:
            return self.values[node.id]
        raise ScoringFailed(f"the expression uses {node.id!r}, which has no value here")

    def BoolOp(self, node: ast.BoolOp) -> object:
        decisive = isinstance(node.op, ast.Or)
        value: object = None
        for operand in node.values:
            value = self.value(operand)
            if bool(value) is decisive:
                break
        return value

    def BinOp(self, node: ast.BinOp) -> object:
        return BINARY[type(node.op)].apply(self.meter, self.value(node.left), self.value(node.right))

    def UnaryOp(self, node: ast.UnaryOp) -> object:
        return UNARY[type(node.op)].apply(self.meter, self.value(node.operand))

    def IfExp(self, node: ast.IfExp) -> object:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def Compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for operator, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not COMPARE[type(operator)].apply(self.meter, left, right):
                return False
            left = right
        return True

    def Attribute(self, node: ast.Attribute) -> object:
        return _read_field(self.value(node.value), node.attr)

    def Subscript(self, node: ast.Subscript) -> object:
        owner, key = self.value(node.value), self.value(node.slice)
        if isinstance(owner, Mapping) and key not in owner and isinstance(node.slice, ast.Constant):
            raise ScoringFailed(f"the expression uses [{key!r}], which does not exist (a skipped score has no result)")
        return (SLICE if isinstance(key, slice) else INDEX).apply(self.meter, owner, key)

    def Slice(self, node: ast.Slice) -> slice:
        return slice(*(self.value(bound) if bound else None for bound in (node.lower, node.upper, node.step)))

    def List(self, node: ast.List) -> list[object]:
        return [self.value(element) for element in node.elts]

    def Tuple(self, node: ast.Tuple) -> tuple[object, ...]:
        return tuple(self.value(element) for element in node.elts)

    def Dict(self, node: ast.Dict) -> dict[object, object]:
        keys = [self.value(key) for key in node.keys if key is not None]
        self.meter.pay(prices.weigh(keys))  # each is hashed, a tuple with all its values
        return dict(zip(keys, (self.value(value) for value in node.values), strict=True))

    def JoinedStr(self, node: ast.JoinedStr) -> str:
        texts: list[str] = []
        for part in node.values:
            texts.append(self._text(self.value(part)))
            if sum(map(len, texts)) > MAXIMUM_LENGTH:
                raise LimitExceeded(f"a value of the expression is too long: at most {MAXIMUM_LENGTH} elements")
        return "".join(texts)

    def FormattedValue(self, node: ast.FormattedValue) -> str:
        return self._text(self.value(node.value))

    def _text(self, value: object) -> str:
        text: object = FUNCTIONS["str"].apply(self.meter, value)
        return str(text)

    def ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> list[object]:
        return list(self._loop(node.elt, node.generators))

    GeneratorExp = ListComp

    def _loop(self, element: ast.expr, loops: list[ast.comprehension]) -> Iterator[object]:
        if not loops:
            yield self.value(element)
            return
        target = loops[0].target
        assert isinstance(target, ast.Name)
        outside, before = self.values, self.meter.held
        values = cast("Iterable[object]", self.value(loops[0].iter))
        looped = self.meter.held - before
        for value in values:
            self.meter.pay(prices.PART * len(outside))
            self.values = {**outside, target.id: value}
            held = self.meter.held
            is_kept = all(self.value(test) for test in loops[0].ifs)
            self.meter.held = held
            if is_kept:
                yield from self._loop(element, loops[1:])
        self.values = outside  # the loop variable is local to its loop
        self.meter.held -= looped

    def Call(self, node: ast.Call) -> object:
        arguments = [self.value(argument) for argument in node.args]
        if isinstance(node.func, ast.Name):
            return self._find_operation(node.func.id, node.args).apply(self.meter, *arguments)
        assert isinstance(node.func, ast.Attribute)
        owner = self.value(node.func.value)
        name = node.func.attr
        # Maps have `get` and nothing else; strings have the other methods.
        if (name == "get") != isinstance(owner, dict) or not isinstance(owner, (str, dict)):
            raise ScoringFailed(f"the expression calls {name} of a {type(owner).__name__}")
        return METHODS[name].apply(self.meter, owner, *arguments)

    @staticmethod
    def _find_operation(name: str, arguments: list[ast.expr]) -> Operation:
        is_spelled_out = name == "matches" and len(arguments) == 2 and isinstance(arguments[1], ast.Constant)
        return MATCHES_CONSTANT if is_spelled_out else FUNCTIONS[name]


def _read_field(owner: object, name: str) -> object:
    if isinstance(owner, Result) and name in _RESULT_FIELDS:
        field: object = getattr(owner, name)
        return field
    if isinstance(owner, dict):
        if name in owner:
            return owner[name]
        raise ScoringFailed(f"the expression uses the field {name!r}, which has no value here")
    raise ScoringFailed(f"the expression uses the field {name!r} of a {type(owner).__name__}")
