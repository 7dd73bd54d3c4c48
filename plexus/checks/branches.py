"""Ways through a graph: nodes and conditions that nothing reaches, and classes that a node cannot return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.checks.flow import Flow, matched, on_class
from plexus.graph.classes import classes_of
from plexus.problems import Finding, Path, nearest
from plexus.text import fold


def check(graph: list[Any], known: Flow, path: Path) -> Iterator[Finding]:
    """Findings about one graph whose names are unique and whose targets exist."""
    for place, node in enumerate(graph):
        inside = (*path, "graph", place)
        if node.name not in known.reached:
            message = f"no way through the graph leads to the node {node.name!r}"
            yield Finding((*inside, "name"), message, rule="unreachable-node")
        elif not known.ends(node.name):
            message = f"from the node {node.name!r} no way leads to the end: give one of its ways `node: END`"
            yield Finding((*inside, "name"), message, rule="endless")
        yield from _conditions(node, inside)
        yield from _overlaps(node, inside)


def _conditions(node: Any, path: Path) -> Iterator[Finding]:
    names = classes_of(node)
    left = {fold(each) for each in names} if names is not None else set()
    for place, branch in enumerate(node.conditions):
        at = (*path, "conditions", place)
        if names is None or not on_class(node, branch):
            if any(_same(branch, earlier) for earlier in node.conditions[:place]):
                yield Finding(
                    (*at, "value"), "an earlier condition already asks for this", rule="unreachable-condition"
                )
            continue
        unknown = [value for value in _values(branch) if fold(value) not in {fold(each) for each in names}]
        for value in unknown:
            message = f"the node {node.name!r} cannot return {value!r}{nearest(str(value), names)}"
            yield Finding((*at, "value"), f"{message}; it returns {', '.join(names)}", rule="impossible-class")
        met = matched(branch, names) & left
        if not met and not unknown:
            message = "this condition is never met: earlier ones take all the classes that it asks for"
            yield Finding((*at, "value"), message, rule="unreachable-condition")
        left -= met


def _overlaps(node: Any, path: Path) -> Iterator[Finding]:
    ways: list[tuple[Path, Any]] = [(("conditions", place), branch) for place, branch in enumerate(node.conditions)]
    ways += [(("edge",), node.edge)] if node.edge else []
    for inner, way in ways:
        for alias in node.output:
            if alias in way.output:
                message = f"{alias!r} is set by the node's `output` too; on this way, this one counts"
                yield Finding((*path, *inner, "output", alias), message, "warning", "output-twice", on_key=True)


def _values(branch: Any) -> list[Any]:
    return branch.value if isinstance(branch.value, list) else [branch.value]


def _same(one: Any, other: Any) -> bool:
    return (one.state, one.operator, one.value) == (other.state, other.operator, other.value)
