"""The environment of templates: Jinja2's sandbox, narrowed to what prompts need.

Beyond Jinja2's own rules (no attribute that leads out of a value) there are no macros, imports or recursion, only
filters and methods that cannot make much of little, and each rendering has a budget of loop turns and of size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from typing_extensions import override

from plexus.exceptions import UnsafeCode
from plexus.expression_operators import MAXIMUM_LENGTH, operator_named, rounded, sized, whole

MAXIMUM_TURNS = 20_000
FILTERS = frozenset(
    (
        *("abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "int", "items"),
        *("join", "last", "length", "list", "lower", "max", "min", "reject", "replace", "reverse", "round"),
        *("select", "sort", "string", "sum", "title", "tojson", "trim", "truncate", "unique", "upper", "wordcount"),
    )
)
METHODS = frozenset(
    (
        *("lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "count", "split", "title"),
        *("isdigit", "find", "get", "items", "keys", "values"),
    )
)
_REFUSED = ("Macro", "CallBlock", "Import", "FromImport", "Include", "Extends", "Block", "FilterBlock")
#: Turns of loops that the rendering has left, in a list of one number.
turns: ContextVar[list[int]] = ContextVar("turns")


class Environment(ImmutableSandboxedEnvironment):
    """Refuses at compile time what is not part of the templates here, and bounds the rest while it runs."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    @override
    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """As in expressions: arithmetic is for numbers, and no value grows without end."""
        del context
        return sized(operator_named(operator)(left, right))

    @override
    def is_safe_callable(self, obj: Any) -> bool:
        """Plain methods of texts and maps."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        return isinstance(owner, (str, Mapping)) and name in METHODS

    @override
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.Node):
            _check(node)
        bounded: nodes.Template = _Bounded().visit(tree)
        return bounded.set_environment(self)  # type: ignore[return-value]  # it returns itself


class _Bounded(NodeTransformer):
    """Counts the turns of every loop, and measures every text that `~` makes."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_bounded")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, "_sized")

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, "_whole")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, "_whole")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _filtered(node, "_whole") if node.ctx == "load" else node


def _filtered(node: Any, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _check(node: nodes.Node) -> None:
    kind = type(node).__name__
    if kind in _REFUSED or getattr(node, "recursive", False):
        raise UnsafeCode(f"line {node.lineno}: {kind.lower()} is not part of the templates here")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        known = ", ".join(sorted(FILTERS))
        raise UnsafeCode(f"line {node.lineno}: there is no filter {node.name!r}; known: {known}")


def _bounded(values: Iterable[Any]) -> Iterator[Any]:
    """The values, each counted against the rendering's turns."""
    left = turns.get()
    for value in values:
        left[0] -= 1
        if left[0] < 0:
            raise UnsafeCode(f"a template took more than {MAXIMUM_TURNS} turns of loops")
        yield value


def _replace(text: Any, old: Any, new: Any) -> str:
    """`str.replace`, refused before it grows."""
    text, old, new = str(text), str(old), str(new)
    if len(text) + text.count(old) * len(new) > MAXIMUM_LENGTH:
        raise UnsafeCode(f"a template's value has more than {MAXIMUM_LENGTH} characters")
    replaced: str = text.replace(old, new)
    return replaced


def _join(values: Iterable[Any], separator: Any = "") -> str:
    """`join`, refused before it grows."""
    parts, between, size = [], str(separator), 0
    for value in values:
        parts.append(str(value))
        size += len(parts[-1]) + len(between)
        if size > MAXIMUM_LENGTH:
            raise UnsafeCode(f"a template's value has more than {MAXIMUM_LENGTH} characters")
    return between.join(parts)


def _round(value: Any, precision: Any = 0, method: str = "common") -> Any:
    """`round` (also `ceil` and `floor`), which counts in powers of ten, with few digits."""
    if method not in ("ceil", "floor"):
        return rounded(value, precision)
    factor = 10 ** int(rounded(precision, precision))
    made: float = getattr(math, method)(value * factor) / factor
    return made


def _measured(value: Any) -> Any:
    whole(value)
    return value


def made() -> Environment:
    """The environment; a name that nothing defines is an error, never an empty string."""
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    environment.globals.clear()
    own: dict[str, Any] = {"replace": _replace, "join": _join, "round": _round}
    own |= {"_bounded": _bounded, "_sized": sized, "_whole": _measured}
    environment.filters = {name: environment.filters[name] for name in FILTERS} | own
    return environment
