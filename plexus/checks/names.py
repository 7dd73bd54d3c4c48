"""What templates and expressions name: variables that something defines, results that the score depends on."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plexus.checks.flow import Flow
from plexus.exceptions import PlexusError
from plexus.expression import Expression
from plexus.graph.fields import fields_of
from plexus.graph.references import reference
from plexus.graph.state import GIVEN
from plexus.graph.templates import environment
from plexus.problems import Finding, Path, nearest


@dataclass(frozen=True)
class Uses:
    """Names that a source uses; `fields` are (name, field) pairs, `results` the scores whose results it reads."""

    names: frozenset[str] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()
    results: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """What a source may use: `sure` and `possible` names, the fields of nodes, the scores it depends on."""

    sure: Collection[str]
    possible: Collection[str]
    everywhere: Collection[str]
    fields: Mapping[str, Collection[str]]
    scores: Collection[str]


def composite(score: Any, path: Path) -> Iterator[Finding]:
    """Findings about a CompositeScore's expression and explanation."""
    scope = Scope(GIVEN, GIVEN, GIVEN, {}, tuple(score.depends_on))
    yield from _checked(_of_expression(score.expression), scope, (*path, "expression"))
    after = Scope((*GIVEN, "value"), (*GIVEN, "value"), (*GIVEN, "value"), {}, scope.scores)
    yield from _checked(_of_template(score.explanation), after, (*path, "explanation"))


def graph(score: Any, known: Flow, path: Path) -> Iterator[Finding]:
    """Findings about the sources, the conditions' fields and the outputs of a LangGraphScore."""
    nodes = score.graph
    fields = {node.name: fields_of(node) for node in nodes}
    everywhere = {*GIVEN, *fields, *(name for names in known.possible.values() for name in names)}
    everywhere |= {alias for node in nodes for way in known.ways[node.name] for alias in way.aliases}
    everywhere |= {alias for node in nodes for alias in (*node.output, *getattr(node, "set", ()))}
    for place, node in enumerate(nodes):
        if node.name in known.reached:
            sure, possible = known.sure[node.name], known.possible[node.name]
            scope = Scope(sure, possible, everywhere, fields, tuple(score.depends_on))
            yield from _node(node, scope, (*path, "graph", place))
    last = {name for each in fields.values() for name in each}
    yield from _outputs(score.output, everywhere | last, fields, path)


def _node(node: Any, scope: Scope, path: Path) -> Iterator[Finding]:
    for key in ("system_message", "user_message"):
        yield from _checked(_of_template(getattr(node, key, None)), scope, (*path, key))
    after = _with(scope, "classification")
    yield from _checked(_of_template(getattr(node, "explanation", None)), after, (*path, "explanation"))
    yield from _checked(_of_expression(getattr(node, "expression", None)), scope, (*path, "expression"))
    for alias, source in getattr(node, "set", {}).items():
        yield from _checked(_of_expression(source), scope, (*path, "set", alias))
        scope = _with(scope, alias)
    for key in ("quotation", "source"):
        named = getattr(node, key, None)
        if named is not None:
            yield from _field(named, scope, (*path, key))
    own = {*fields_of(node), *node.output, *getattr(node, "set", ()), node.name}
    within = _with(scope, *own)
    for place, branch in enumerate(node.conditions):
        if branch.state is not None:
            yield from _field(branch.state, within, (*path, "conditions", place, "state"))
        yield from _outputs(branch.output, {*scope.everywhere, *own}, scope.fields, (*path, "conditions", place))
    if node.edge:
        yield from _outputs(node.edge.output, {*scope.everywhere, *own}, scope.fields, (*path, "edge"))
    yield from _outputs(node.output, {*scope.everywhere, *own}, scope.fields, path)


def _with(scope: Scope, *names: str) -> Scope:
    sure, possible = {*scope.sure, *names}, {*scope.possible, *names}
    return Scope(sure, possible, {*scope.everywhere, *names}, scope.fields, scope.scores)


def _checked(uses: Uses, scope: Scope, path: Path) -> Iterator[Finding]:
    for name in sorted(uses.names):
        yield from _name(name, scope, path)
    for name, field in sorted(uses.fields):
        yield from _of_node(name, field, scope.fields, path)
    for name in sorted(uses.results):
        if name not in scope.scores:
            message = f"results[{name!r}] is not there{nearest(name, scope.scores)}"
            yield Finding(path, f"{message}; add {name!r} to `depends_on`", rule="unknown-result")


def _of_node(name: str, field: str, fields: Mapping[str, Collection[str]], path: Path) -> Iterator[Finding]:
    if name in fields and field not in fields[name]:
        message = f"the node {name!r} has no field {field!r}{nearest(field, fields[name])}"
        yield Finding(path, f"{message}; it sets {', '.join(fields[name])}", rule="undefined")


def _name(name: str, scope: Scope, path: Path) -> Iterator[Finding]:
    if name in scope.sure:
        return
    if name in scope.possible:
        message = f"{name!r} has no value on every way to this node: where it has none, the score fails"
        yield Finding(path, message, "warning", "sometimes-undefined")
    elif name in scope.everywhere:
        yield Finding(
            path, f"{name!r} is set only later, or by a node that cannot come before this one", rule="undefined"
        )
    else:
        message = f"nothing defines {name!r}{nearest(name, scope.everywhere)}"
        yield Finding(path, f"{message}; here are {', '.join(sorted(scope.possible))}", rule="undefined")


def _field(named: str, scope: Scope, path: Path) -> Iterator[Finding]:
    name, _, field = named.partition(".")
    if field:
        yield from _checked(Uses(frozenset({name}), frozenset({(name, field.partition(".")[0])})), scope, path)
    else:
        yield from _name(name, scope, path)


def _outputs(
    output: Mapping[str, Any], known: Collection[str], fields: Mapping[str, Collection[str]], path: Path
) -> Iterator[Finding]:
    """A value of an `output` that names no field is a literal; one that nearly names one is a typo, most likely."""
    for alias, value in output.items():
        if not isinstance(value, str):
            continue
        found = reference(value, known)
        if found is not None and len(found.parts) > 1:
            yield from _of_node(found.parts[0], found.parts[1], fields, (*path, "output", alias))
        if found is None:
            guess = nearest(value, known) if "_" in value or value.islower() else ""
            if guess:
                message = f"{value!r} is a literal here, for no field has that name{guess}"
                yield Finding((*path, "output", alias), message, "warning", "near-miss")


def _of_template(source: str | None) -> Uses:
    from jinja2 import TemplateError, meta, nodes

    if source is None:
        return Uses()
    try:
        tree = environment().parse(source)
    except TemplateError:
        return Uses()  # the rule `source` tells it
    fields: set[tuple[str, str]] = set()
    results: set[tuple[str, str]] = set()
    for each in tree.find_all((nodes.Getattr, nodes.Getitem)):
        key = each.attr if isinstance(each, nodes.Getattr) else getattr(each.arg, "value", None)
        if isinstance(each.node, nodes.Name) and isinstance(key, str):
            (results if each.node.name == "results" else fields).add((each.node.name, key))
    names = meta.find_undeclared_variables(tree)
    return Uses(frozenset(names), frozenset(fields), frozenset(key for _, key in results))


def _of_expression(source: str | None) -> Uses:
    if source is None:
        return Uses()
    try:
        parsed = Expression(source)
    except PlexusError:
        return Uses()
    fields: set[tuple[str, str]] = set()
    results: set[tuple[str, str]] = set()
    for each in ast.walk(parsed.tree):
        pair = _pair(each)
        if pair is not None:
            (results if pair[0] == "results" else fields).add(pair)
    return Uses(frozenset(parsed.names), frozenset(fields), frozenset(key for _, key in results))


def _pair(node: ast.AST) -> tuple[str, str] | None:
    """`name.key` and `name['key']`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        return (node.value.id, node.slice.value) if isinstance(node.slice.value, str) else None
    return None
