"""Names in templates and expressions: variables that a node defines, results that the score depends on."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.checks.flow import Flow
from plexus.exceptions import PlexusError
from plexus.graph.node_outputs import as_model_node, list_fields
from plexus.graph.references import parse_reference
from plexus.graph.state import INITIAL_NAMES
from plexus.language.expression import Expression
from plexus.language.templates import parse_template
from plexus.problems import Finding, KeyPath, suggest

if TYPE_CHECKING:
    from plexus.configuration.graph import AnyNode, LangGraphScore
    from plexus.configuration.scores import CompositeScore


@dataclass(frozen=True)
class Uses:
    """The names that a source uses; `fields` are (name, field) pairs, `results` the scores whose results it reads."""

    names: frozenset[str] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()
    results: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """The names that a source may use at its place in the graph.

    `sure` names have a value on every path, `possible` names on some path, `everywhere` are the names of the whole
    graph. `fields` lists each node's fields, `scores` the dependencies.
    """

    sure: Collection[str]
    possible: Collection[str]
    everywhere: Collection[str]
    fields: Mapping[str, Collection[str]]
    scores: Collection[str]

    def extend(self, *names: str) -> Scope:
        """Return the scope with more names that surely have a value."""
        sure, possible = {*self.sure, *names}, {*self.possible, *names}
        return Scope(sure, possible, {*self.everywhere, *names}, self.fields, self.scores)


def check_composite(score: CompositeScore, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about a CompositeScore's expression and explanation."""
    scope = Scope(INITIAL_NAMES, INITIAL_NAMES, INITIAL_NAMES, {}, tuple(score.depends_on))
    yield from _check_uses(_find_expression_uses(score.expression), scope, (*path, "expression"))
    yield from _check_uses(_find_template_uses(score.explanation), scope.extend("value"), (*path, "explanation"))


def check_graph(score: LangGraphScore, paths: Flow, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about the sources, the conditions' fields and the outputs of a LangGraphScore."""
    nodes = score.graph
    fields = {node.name: list_fields(node) for node in nodes}
    everywhere = {*INITIAL_NAMES, *fields, *(name for names in paths.possible.values() for name in names)}
    everywhere |= {alias for node in nodes for step in paths.exits[node.name] for alias in step.aliases}
    everywhere |= {alias for node in nodes for alias in (*node.output, *_list_set_aliases(node))}
    for index, node in enumerate(nodes):
        if node.name in paths.reached:
            sure, possible = paths.sure[node.name], paths.possible[node.name]
            scope = Scope(sure, possible, everywhere, fields, tuple(score.depends_on))
            yield from _check_node(node, scope, (*path, "graph", index))
    last = {name for names in fields.values() for name in names}
    yield from _check_outputs(score.output, everywhere | last, fields, path)


def _list_set_aliases(node: AnyNode) -> tuple[str, ...]:
    return tuple(node.set) if node.class_name == "LogicalNode" else ()


def _check_node(node: AnyNode, scope: Scope, path: KeyPath) -> Iterator[Finding]:
    yield from _check_node_sources(node, scope, path)
    own = {*list_fields(node), *node.output, *_list_set_aliases(node), node.name}
    inside, known = scope.extend(*own, *_list_set_aliases(node)), {*scope.everywhere, *own}
    for index, branch in enumerate(node.conditions):
        if branch.state is not None:
            yield from _check_field(branch.state, inside, (*path, "conditions", index, "state"))
        yield from _check_outputs(branch.output, known, scope.fields, (*path, "conditions", index))
    if node.edge:
        yield from _check_outputs(node.edge.output, known, scope.fields, (*path, "edge"))
    yield from _check_outputs(node.output, known, scope.fields, path)


def _check_node_sources(node: AnyNode, scope: Scope, path: KeyPath) -> Iterator[Finding]:
    """Check what a node reads: templates, expressions and the names of state fields."""
    if node.class_name == "LogicalClassifier":
        explanation = _find_template_uses(node.explanation)
        yield from _check_uses(explanation, scope.extend("classification"), (*path, "explanation"))
        yield from _check_uses(_find_expression_uses(node.expression), scope, (*path, "expression"))
    elif node.class_name == "LogicalNode":
        for alias, source in node.set.items():
            yield from _check_uses(_find_expression_uses(source), scope, (*path, "set", alias))
            scope = scope.extend(alias)
    elif node.class_name in ("BeforeAfterSlicer", "ContextExtractor"):
        yield from _check_field(node.quotation, scope, (*path, "quotation"))
        yield from _check_field(node.source, scope, (*path, "source"))
    elif node.class_name in ("FuzzyMatchClassifier", "FuzzyMatchExtractor"):
        for source in [node.source] if isinstance(node.source, str) else node.source:
            yield from _check_field(source.replace("[]", ""), scope, (*path, "source"))
    elif (model_node := as_model_node(node)) is not None:
        for key, message in model_node.templates.items():
            known = scope.extend("classification") if key == "explanation_message" else scope
            yield from _check_uses(_find_template_uses(message), known, (*path, key))


def _check_uses(uses: Uses, scope: Scope, path: KeyPath) -> Iterator[Finding]:
    for name in sorted(uses.names):
        yield from _check_name(name, scope, path)
    for name, field in sorted(uses.fields):
        yield from _check_node_field(name, field, scope.fields, path)
    for name in sorted(uses.results):
        if name not in scope.scores:
            message = f"results[{name!r}] does not exist{suggest(name, scope.scores)}"
            yield Finding(path, f"{message}; add {name!r} to `depends_on`", rule="unknown-result")


def _check_node_field(name: str, field: str, fields: Mapping[str, Collection[str]], path: KeyPath) -> Iterator[Finding]:
    if name in fields and field not in fields[name]:
        message = f"the node {name!r} has no field {field!r}{suggest(field, fields[name])}"
        yield Finding(path, f"{message}; it sets {', '.join(fields[name])}", rule="undefined")


def _check_name(name: str, scope: Scope, path: KeyPath) -> Iterator[Finding]:
    if name in scope.sure:
        return
    if name in scope.possible:
        message = f"{name!r} is not defined on every path to this node: on the others, the score fails"
        yield Finding(path, message, "warning", "sometimes-undefined")
    elif name in scope.everywhere:
        message = f"{name!r} is defined only later, or by a node that cannot come before this one"
        yield Finding(path, message, rule="undefined")
    else:
        message = f"nothing defines {name!r}{suggest(name, scope.everywhere)}"
        yield Finding(path, f"{message}; defined here: {', '.join(sorted(scope.possible))}", rule="undefined")


def _check_field(reference: str, scope: Scope, path: KeyPath) -> Iterator[Finding]:
    """Check a reference to a state field: `name` or `node.field`."""
    name, _, field = reference.partition(".")
    if field:
        uses = Uses(frozenset({name}), frozenset({(name, field.partition(".")[0])}))
        yield from _check_uses(uses, scope, path)
    else:
        yield from _check_name(name, scope, path)


def _check_outputs(
    output: Mapping[str, object], known: Collection[str], fields: Mapping[str, Collection[str]], path: KeyPath
) -> Iterator[Finding]:
    """Check an `output`: a value that names no field is a literal; one that nearly names a field is likely a typo."""
    for alias, value in output.items():
        if not isinstance(value, str):
            continue
        reference = parse_reference(value, known)
        if reference is not None and len(reference.parts) > 1:
            yield from _check_node_field(reference.parts[0], reference.parts[1], fields, (*path, "output", alias))
        if reference is None:
            # Literals such as `Yes` or `Not applicable` are common; only names that look like fields can be typos.
            guess = suggest(value, known) if "_" in value or value.islower() else ""
            if guess:
                message = f"{value!r} is a literal here, because no field has that name{guess}"
                yield Finding((*path, "output", alias), message, "warning", "near-miss")


def _find_template_uses(source: str | None) -> Uses:
    if source is None:
        return Uses()
    from jinja2 import meta, nodes

    try:
        tree = parse_template(source)
    except PlexusError:
        return Uses()  # reported by the rule `source`
    called = {id(call.node): call for call in tree.find_all(nodes.Call)}
    members: list[tuple[nodes.Expr, object]] = []
    for node in tree.find_all(nodes.Getattr):
        if (call := called.get(id(node))) is None:
            members.append((node.node, node.attr))
        elif node.attr == "get" and call.args:
            members.append((node.node, getattr(call.args[0], "value", None)))
    members += [(node.node, getattr(node.arg, "value", None)) for node in tree.find_all(nodes.Getitem)]
    fields: set[tuple[str, str]] = set()
    results: set[tuple[str, str]] = set()
    for owner, key in members:
        if isinstance(owner, nodes.Name) and isinstance(key, str):
            (results if owner.name == "results" else fields).add((owner.name, key))
    names = meta.find_undeclared_variables(tree)
    return Uses(frozenset(names), frozenset(fields), frozenset(key for _, key in results))


def _find_expression_uses(source: str) -> Uses:
    try:
        expression = Expression(source)
    except PlexusError:
        return Uses()  # reported by the rule `source`
    fields: set[tuple[str, str]] = set()
    results: set[tuple[str, str]] = set()
    for node in ast.walk(expression.tree):
        pair = read_member(node)
        if pair is not None:
            (results if pair[0] == "results" else fields).add(pair)
    return Uses(frozenset(expression.names), frozenset(fields), frozenset(key for _, key in results))


def read_member(node: ast.AST) -> tuple[str, str] | None:
    """Return (name, key) of `name.key` and `name['key']`, None for anything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return (node.value.id, node.slice.value) if isinstance(node.slice.value, str) else None
    return None
