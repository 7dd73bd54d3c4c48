"""Paths through a graph: which node can follow which, which names have a value where, and what is never reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexus.graph.node_outputs import FIELDS, list_classes, list_edges
from plexus.graph.state import END, INITIAL_NAMES
from plexus.problems import Finding, KeyPath, suggest
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.configuration.graph import AnyNode, Branch


@dataclass(frozen=True)
class Exit:
    """An edge that can be taken: to the node `target` (or END), setting `aliases`."""

    target: str
    aliases: frozenset[str]


@dataclass(frozen=True)
class Flow:
    """How a graph can be walked.

    `exits` lists each node's edges; `reached` are the nodes that an item can reach. `sure` names have a value at the
    start of a node on every path to it, `possible` names on some path.
    """

    exits: Mapping[str, tuple[Exit, ...]]
    reached: frozenset[str]
    sure: Mapping[str, frozenset[str]]
    possible: Mapping[str, frozenset[str]]

    def can_end(self, name: str) -> bool:
        """Return whether END can be reached from the node."""
        visited, pending = {name}, [name]
        while pending:
            for step in self.exits[pending.pop()]:
                if step.target == END:
                    return True
                if step.target in self.exits and step.target not in visited:
                    visited.add(step.target)
                    pending.append(step.target)
        return False


def follow(graph: Sequence[AnyNode]) -> Flow:
    """Follow every edge that conditions leave open, from the first node. Names must be unique and targets exist."""
    exits = {node.name: _list_exits(node, _get_next_name(graph, index)) for index, node in enumerate(graph)}
    own_names = {node.name: _list_own_names(node) for node in graph}
    entry = graph[0].name
    sure: dict[str, frozenset[str]] = {entry: frozenset(INITIAL_NAMES)}
    possible = dict(sure)
    pending = [entry]
    # A fixed point: a loop may bring a node other names than the first path to it did.
    while pending:
        name = pending.pop()
        for step in exits[name]:
            if step.target not in exits:
                continue
            added = own_names[name] | step.aliases
            least, most = sure[name] | added, possible[name] | added
            old = (sure.get(step.target), possible.get(step.target))
            new = (least if old[0] is None else old[0] & least, most if old[1] is None else old[1] | most)
            if new != old:
                sure[step.target], possible[step.target] = new
                pending.append(step.target)
    return Flow(exits, frozenset(sure), sure, possible)


def compares_class(node: AnyNode, branch: Branch) -> bool:
    """Return whether a branch's condition reads the node's own class, rather than another field."""
    own_names = (FIELDS[node.class_name][0], "value", "classification")
    return "classification" in FIELDS[node.class_name] and (branch.state is None or branch.state in own_names)


def match_classes(branch: Branch, known: Iterable[str]) -> set[str]:
    """Return the known classes that meet the branch's condition, folded."""
    named = {fold(value) for value in branch.values}
    folded = {fold(name) for name in known}
    return folded & named if branch.operator in ("==", "in") else folded - named


def _list_exits(node: AnyNode, following: str) -> tuple[Exit, ...]:
    known = list_classes(node)
    left = {fold(name) for name in known} if known is not None else None
    exits = []
    for branch in node.conditions:
        if known is not None and left is not None and compares_class(node, branch):
            met = match_classes(branch, known) & left
            left -= met
            if not met:  # earlier conditions cover its classes, so the edge is never taken
                continue
        exits.append(Exit(branch.node, frozenset(branch.output)))
    if left is None or left:
        edge = node.edge
        exits.append(Exit(edge.node if edge else following, frozenset(edge.output if edge else ())))
    return tuple(exits)


def _list_own_names(node: AnyNode) -> frozenset[str]:
    names = {node.name, *node.output}
    return frozenset(names | set(node.set) if node.class_name == "LogicalNode" else names)


def _get_next_name(graph: Sequence[AnyNode], index: int) -> str:
    return graph[index + 1].name if index + 1 < len(graph) else END


def check(graph: Sequence[AnyNode], flow: Flow, path: KeyPath) -> Iterator[Finding]:
    """Yield findings about what no text can reach, in a graph whose names are unique and whose targets exist."""
    for index, node in enumerate(graph):
        node_path = (*path, "graph", index)
        if node.name not in flow.reached:
            message = f"the node {node.name!r} cannot be reached"
            yield Finding((*node_path, "name"), message, rule="unreachable-node")
        elif not flow.can_end(node.name):
            message = f"the end cannot be reached from the node {node.name!r}: give one of its edges `node: END`"
            yield Finding((*node_path, "name"), message, rule="endless")
        yield from _check_conditions(node, node_path)
        yield from _check_overlaps(node, node_path)


def _check_conditions(node: AnyNode, path: KeyPath) -> Iterator[Finding]:
    names = list_classes(node)
    left = {fold(name) for name in names} if names is not None else set()
    for index, branch in enumerate(node.conditions):
        at = (*path, "conditions", index, "value")
        if names is None or not compares_class(node, branch):
            if any(_is_same_condition(branch, earlier) for earlier in node.conditions[:index]):
                yield Finding(at, "an earlier condition is the same", rule="unreachable-condition")
            continue
        unknown = [value for value in branch.values if fold(value) not in {fold(name) for name in names}]
        for value in unknown:
            message = f"the node {node.name!r} cannot return {value!r}{suggest(str(value), names)}"
            yield Finding(at, f"{message}; it returns {', '.join(names)}", rule="impossible-class")
        met = match_classes(branch, names) & left
        if not met and not unknown:
            message = "this condition is never met: earlier conditions match all of its classes"
            yield Finding(at, message, rule="unreachable-condition")
        left -= met


def _check_overlaps(node: AnyNode, path: KeyPath) -> Iterator[Finding]:
    for inner, edge in list_edges(node):
        for alias, source in node.output.items():
            # An alias of the field's own name is what the node has without it, as an import writes it.
            if alias in edge.output and alias != source:
                message = f"{alias!r} is also set by the node's `output`; on this edge, this value wins"
                yield Finding((*path, *inner, "output", alias), message, "warning", "output-twice", on_key=True)


def _is_same_condition(left: Branch, right: Branch) -> bool:
    return (left.state, left.operator, left.value) == (right.state, right.operator, right.value)
