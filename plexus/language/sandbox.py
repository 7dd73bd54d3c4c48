"""The environment of templates: Jinja2's sandbox, narrowed to what prompts need.

Beyond Jinja2's own rules (no attribute that leads out of a value) there are no macros, imports or recursion, and only
filters and methods that cannot turn a small text into a huge one. Each rendering has budgets of loop turns and of size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from typing_extensions import override

from plexus.exceptions import UnsafeCode
from plexus.language.absent import Absent, require
from plexus.language.filters import FILTERS, create_filters, create_tests
from plexus.language.functions import TEMPLATE_METHODS
from plexus.language.operators import check_size, find_operator, find_sign, key_price
from plexus.language.prices import STEP
from plexus.language.rendering import rendering

REFUSED = frozenset(("Macro", "CallBlock", "Import", "FromImport", "Include", "Extends", "Block", "FilterBlock"))
#: Nodes that pay for themselves, because they are wrapped or call the environment.
PRICED = frozenset(
    (
        *("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow", "Neg", "Pos", "Compare", "Concat", "Filter", "Test"),
        *("For", "Output", "Assign", "AssignBlock", "With", "If", "Call", "Getitem", "List", "Dict", "Tuple"),
    )
)
#: Nodes that take the same time for any value.
FREE = frozenset(
    (
        *("Template", "TemplateData", "Const", "Name", "NSRef", "Getattr", "Slice", "Operand", "Pair", "Keyword"),
        *("And", "Or", "Not", "CondExpr"),
    )
)


class Environment(ImmutableSandboxedEnvironment):
    """Refuses at compile time what templates may not contain, and bounds the rest while it runs."""

    # Jinja2 calls call_binop and call_unop for these only; all are listed, so that none escapes the limits.
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset(("+", "-"))

    @override
    def call_binop(self, context: object, operator: str, left: object, right: object) -> object:
        """Apply an operator under the rules of expressions: arithmetic for numbers only, results of bounded size."""
        del context
        require(left, right)
        current = rendering.get()
        return current.count_created(check_size(find_operator(operator).apply(current.meter, left, right)))

    @override
    def call_unop(self, context: object, operator: str, arg: object) -> object:
        """Apply a sign under the same rules."""
        del context
        require(arg)
        return check_size(find_sign(operator).apply(rendering.get().meter, arg))

    @override
    def getitem(self, obj: object, argument: object) -> object:
        """Read a member; a key that is a tuple is hashed with all its values."""
        if isinstance(argument, tuple):
            rendering.get().meter.pay(key_price(argument))
        member: object = super().getitem(obj, argument)
        return member

    @override
    def call(self, context: Context, obj: object, /, *args: object, **kwargs: object) -> object:
        """Call a method of a text or map, which pays before it runs."""
        require(obj)
        name = getattr(obj, "__name__", "")
        if self.is_safe_callable(obj):
            current = rendering.get()
            operands = (getattr(obj, "__self__", None), *args, *kwargs.values())
            current.meter.pay(STEP + TEMPLATE_METHODS[name].price(*operands))
            current.meter.need(TEMPLATE_METHODS[name].room(*operands))
            return current.count_created(super().call(context, obj, *args, **kwargs))
        return super().call(context, obj, *args, **kwargs)  # refuses

    @override
    def is_safe_callable(self, obj: object) -> bool:
        """Allow the listed methods of strings and maps."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        return isinstance(owner, (str, Mapping)) and name in TEMPLATE_METHODS

    @override
    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        problems = filter(None, map(find_problem, tree.find_all(nodes.Node)))
        if text := "; ".join(dict.fromkeys(problems)):
            known = f"; known filters: {', '.join(sorted(FILTERS))}" if "no filter" in text else ""
            raise UnsafeCode(text + known)
        metered: nodes.Template = _Metering().visit(tree)
        metered.set_environment(self)
        return metered


class _Metering(NodeTransformer):
    """Wraps every part of a template that can take long, or create large values, in a filter that counts it."""

    def __init__(self) -> None:
        self.captures = 0

    def visit_For(self, node: nodes.For) -> nodes.Node:
        size = sum(1 for part in node.body for _ in part.find_all(nodes.Node))
        self.generic_visit(node)
        node.iter = _wrap(node.iter, "_bound_loop", [nodes.Const(size)])
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node:
        self.generic_visit(node)
        node.test = _wrap(node.test, "_end_test")
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:
        self.generic_visit(node)
        node.node = _wrap(node.node, "_assign")
        return node

    def visit_With(self, node: nodes.With) -> nodes.Node:
        self.generic_visit(node)
        node.values = [_wrap(value, "_assign") for value in node.values]
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        self.captures += 1
        self.generic_visit(node)
        self.captures -= 1
        return node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        self.generic_visit(node)
        if self.captures:
            node.nodes = [_wrap(part, "_capture") for part in node.nodes]
        else:
            node.nodes = [part if isinstance(part, nodes.TemplateData) else _wrap(part, "_text") for part in node.nodes]
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _wrap(node.nodes[0], "_concat", node.nodes[1:])

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        if len(node.ops) == 1:
            (operand,) = node.ops
            return _wrap(node.expr, "_compare", [nodes.Const(operand.op), operand.expr])
        # A chain stops at the first comparison that is false, so its values cannot be computed beforehand.
        node.expr = _wrap(node.expr, "_pay_for_comparison")
        for operand in node.ops:
            operand.expr = _wrap(operand.expr, "_pay_for_comparison")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice) or isinstance(node.node, nodes.Const):
            return node
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        return _wrap(node.node, "_slice", [bound or nodes.Const(None) for bound in bounds])

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _wrap(node, "_count_whole")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _wrap(node, "_count_whole")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _wrap(node, "_count_whole") if node.ctx == "load" else node


def _wrap(node: nodes.Node, filter_name: str, arguments: Sequence[nodes.Expr] = ()) -> nodes.Expr:
    return nodes.Filter(node, filter_name, list(arguments), [], None, None, lineno=node.lineno)


def find_problem(node: nodes.Node) -> str | None:
    """Return a kind of node or a filter that has no price, with its line: it would run uncounted."""
    kind = type(node).__name__
    if kind not in PRICED | FREE or getattr(node, "recursive", False):
        return f"line {node.lineno}: {kind.lower()} is not part of the template language"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"line {node.lineno}: there is no filter {node.name!r}"
    return None


def create_environment() -> Environment:
    """Create the environment. An undefined name is never an empty string in it, but an error wherever it is printed."""
    environment = Environment(undefined=Absent, autoescape=False, keep_trailing_newline=False)
    environment.globals.clear()  # `range` and `lipsum` create large values from small arguments
    environment.filters = create_filters()
    environment.tests = create_tests()
    return environment
