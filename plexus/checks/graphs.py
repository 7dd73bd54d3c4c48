"""Graphs: names that are unique and known, templates and expressions that parse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from plexus.checks import branches, models, names
from plexus.checks.flow import Flow, flow
from plexus.exceptions import PlexusError
from plexus.graph.state import END, GIVEN
from plexus.problems import Finding, Path, nearest


def check(scores: dict[int, Any]) -> list[Finding]:
    """Findings about LangGraphScore's graphs and other places with templates or expressions."""
    found: list[Finding] = []
    for index, model in scores.items():
        path: Path = ("scores", index)
        if model.class_name == "LangGraphScore":
            shape = [*_names(model.graph, path), *_targets(model.graph, path)]
            found += [*shape, *_sources(model.graph, path), *models.check(model, path)]
            if not shape:  # ways can be followed
                known = flow(model.graph)
                found += [*branches.check(model.graph, known, path), *names.graph(model, known, path)]
                found += _valueless(model, known, path)
        elif model.class_name == "CompositeScore":
            found += [*_parsed(model.expression, (*path, "expression"), _expression)]
            found += [*_parsed(model.explanation, (*path, "explanation"), _template)]
            found += names.composite(model, path)
    return found


def _names(graph: list[Any], path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, node in enumerate(graph):
        if node.name in seen:
            yield Finding((*path, "graph", place, "name"), f"two nodes have the name {node.name!r}", rule="graph")
        if node.name in (END, *GIVEN):
            message = f"a node cannot have the name {node.name!r}: it means something else in a graph"
            yield Finding((*path, "graph", place, "name"), message, rule="graph")
        seen.add(node.name)


def _targets(graph: list[Any], path: Path) -> Iterator[Finding]:
    listed = [node.name for node in graph]
    for place, node in enumerate(graph):
        ways: list[tuple[Path, Any]] = [(("conditions", at), each) for at, each in enumerate(node.conditions)]
        ways += [(("edge",), node.edge)] if node.edge else []
        for inner, way in ways:
            if way.node not in (*listed, END):
                message = f"there is no node {way.node!r}{nearest(way.node, [*listed, END])}"
                yield Finding((*path, "graph", place, *inner, "node"), message, rule="graph")


def _valueless(score: Any, known: Flow, path: Path) -> Iterator[Finding]:
    """An `output` without a value, where no way to the end gives one either: every text would fail."""
    ends = [way for name in known.reached for way in known.ways[name] if way.target == END]
    if score.output and "value" not in score.output and not any("value" in way.aliases for way in ends):
        message = "no `value`: the score would fail for every text; say which field it is, as in `value: node.value`"
        yield Finding((*path, "output"), message, rule="no-value", on_key=True)


def _sources(graph: list[Any], path: Path) -> Iterator[Finding]:
    for place, node in enumerate(graph):
        inside = (*path, "graph", place)
        for key in ("system_message", "user_message", "explanation"):
            yield from _parsed(getattr(node, key, None), (*inside, key), _template)
        yield from _parsed(getattr(node, "expression", None), (*inside, "expression"), _expression)
        for alias, source in getattr(node, "set", {}).items():
            yield from _parsed(source, (*inside, "set", alias), _expression)


def _parsed(source: str | None, path: Path, parse: Callable[[str], Any]) -> Iterator[Finding]:
    if source is None:
        return
    try:
        parse(source)
    except PlexusError as error:
        yield Finding(path, str(error), rule="source")


def _template(source: str) -> Any:
    from plexus.graph.templates import variables

    return variables(source)


def _expression(source: str) -> Any:
    from plexus.expression import Expression

    return Expression(source)
