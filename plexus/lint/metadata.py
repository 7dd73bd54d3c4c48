"""Fields of the metadata that an item may not have: false in a template's condition, a failure anywhere else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.checks.variables import read_member
from plexus.exceptions import PlexusError
from plexus.graph.node_outputs import as_model_node
from plexus.language.expression import Expression
from plexus.problems import Finding, KeyPath

if TYPE_CHECKING:
    from jinja2 import nodes

    from plexus.configuration.card import AnyScore

_METHODS = ("get", "items", "keys", "values")


def check(score: AnyScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a warning for each use of a field that is not guarded against its absence.

    A field that all tests of the score have is one that its items have.
    """
    tested = [frozenset(case.metadata) for case in score.tests]
    known = frozenset.intersection(*tested) if tested else frozenset()
    expressions, templates = list_sources(score, path)
    for at, source in expressions:
        yield from _check_expression(source, at, known)
    for at, source in templates:
        yield from _check_template(source, at, known)


def list_sources(score: AnyScore, path: KeyPath) -> tuple[list[tuple[KeyPath, str]], list[tuple[KeyPath, str]]]:
    """Return the expressions and the templates of a score, each with its path.

    Paths begin with `path`. Sources that are not set are left out.
    """
    expressions: list[tuple[KeyPath, str]] = []
    templates: list[tuple[KeyPath, str | None]] = []
    if score.class_name == "CompositeScore":
        expressions.append(((*path, "expression"), score.expression))
        templates.append(((*path, "explanation"), score.explanation))
    for index, node in enumerate(score.graph if score.class_name == "LangGraphScore" else ()):
        inside = (*path, "graph", index)
        if node.class_name == "LogicalClassifier":
            expressions.append(((*inside, "expression"), node.expression))
            templates.append(((*inside, "explanation"), node.explanation))
        elif node.class_name == "LogicalNode":
            expressions += [((*inside, "set", alias), source) for alias, source in node.set.items()]
        elif (model_node := as_model_node(node)) is not None:
            templates += [((*inside, key), message) for key, message in model_node.templates.items()]
    return expressions, [(at, source) for at, source in templates if source is not None]


def _check_template(source: str, path: KeyPath, known: frozenset[str]) -> Iterator[Finding]:
    for name, is_condition in find_template_uses(source, known, "metadata", _read_field):
        if is_condition:
            message = f"`metadata.{name}` is false for an item without it: write `is defined` to test for its presence"
        else:
            message = f"an item without `metadata.{name}` fails here: add `| default('…')`, or test it with `if`"
        yield Finding(path, message, "warning", "absent-metadata")


def find_template_uses(
    source: str, known: frozenset[str], owner: str, read: Callable[[nodes.Node], str | None]
) -> dict[tuple[str, bool], None]:
    """Return (member, whether a condition reads it) of the uses of the map `owner` that nothing guards.

    `read` returns the member that a node of the template reads, `known` are members that are always there.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    try:
        # The author's own nodes: the environment of templates wraps them to bound what they cost.
        return dict.fromkeys(_Uses(owner, read).find(SandboxedEnvironment().parse(source), known, False))
    except (TemplateError, RecursionError):
        return {}  # reported by the rule `source`


@dataclass(frozen=True)
class _Uses:
    owner: str
    read: Callable[[nodes.Node], str | None]

    def find(self, node: nodes.Node, guarded: frozenset[str], is_condition: bool) -> Iterator[tuple[str, bool]]:
        """Yield (member, whether a condition reads it) of the uses that nothing guards."""
        from jinja2 import nodes

        name = self.read(node)
        if name is not None:
            if name not in guarded:
                yield name, is_condition
            return
        if (
            isinstance(node, nodes.Filter)
            and node.node is not None
            and node.name in ("default", "d")
            and self.read(node.node) is not None
        ):
            parts: list[nodes.Node] = [*node.args]
        elif (
            isinstance(node, nodes.Test) and node.name in ("defined", "undefined") and self.read(node.node) is not None
        ):
            return
        elif isinstance(node, (nodes.If, nodes.CondExpr)):
            yield from self.find(node.test, guarded, True)
            inside = guarded | self.find_guards(node.test)
            chosen = node.body if isinstance(node, nodes.If) else [node.expr1]
            for part in chosen:
                yield from self.find(part, inside, False)
            tested = {id(node.test), *map(id, chosen)}
            parts = [part for part in node.iter_child_nodes() if id(part) not in tested]
            is_condition = False
        elif isinstance(node, nodes.Or) and not is_condition:
            # In `metadata.x or 'none'`, the absent field is false; only what the last part prints can fail.
            parts = [node.right] if self.read(node.left) is not None else [node.left, node.right]
        elif isinstance(node, nodes.And):
            yield from self.find(node.left, guarded, is_condition)
            parts, guarded = [node.right], guarded | self.find_guards(node.left)
        else:
            # In `metadata.x | upper`, the absent field is used even within a condition.
            is_condition = is_condition and isinstance(node, (nodes.Or, nodes.Not, nodes.Compare, nodes.Operand))
            parts = list(node.iter_child_nodes())
        for part in parts:
            yield from self.find(part, guarded, is_condition)

    def find_guards(self, test: nodes.Node) -> frozenset[str]:
        """Return the members that surely exist where the test is true."""
        from jinja2 import nodes

        if isinstance(test, nodes.And):
            return self.find_guards(test.left) | self.find_guards(test.right)
        if isinstance(test, nodes.Test) and test.name == "defined":
            test = test.node
        if isinstance(test, nodes.Compare) and len(test.ops) == 1:
            operand = test.ops[0]
            is_key = operand.op == "in" and isinstance(operand.expr, nodes.Name) and operand.expr.name == self.owner
            if is_key and isinstance(test.expr, nodes.Const):
                return frozenset((str(test.expr.value),))
            if operand.op == "eq":
                test = test.expr
        name = self.read(test)
        return frozenset() if name is None else frozenset((name,))


def _read_field(node: nodes.Node) -> str | None:
    """Return the name of `metadata.name` and `metadata['name']`, None for anything else."""
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "metadata":
        return None if node.attr in _METHODS else node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Name) and node.node.name == "metadata":
        return str(node.arg.value) if isinstance(node.arg, nodes.Const) else None
    return None


def _check_expression(source: str, path: KeyPath, known: frozenset[str]) -> Iterator[Finding]:
    try:
        tree = Expression(source).tree
    except PlexusError:
        return  # reported by the rule `source`
    guarded = {
        str(node.left.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.ops[0], (ast.In, ast.NotIn))
        and isinstance(node.comparators[0], ast.Name)
        and node.comparators[0].id == "metadata"
    }
    names = dict.fromkeys(name for node in ast.walk(tree) if (name := _read_member_name(node)) is not None)
    for name in (name for name in names if name not in guarded | known):
        message = f"an item without `metadata.{name}` fails here: write `metadata.get({name!r})`, which is None then"
        yield Finding(path, message, "warning", "absent-metadata")


def _read_member_name(node: ast.AST) -> str | None:
    owner, name = read_member(node) or ("", "")
    is_method = isinstance(node, ast.Attribute) and name in _METHODS
    return name if owner == "metadata" and not is_method else None
