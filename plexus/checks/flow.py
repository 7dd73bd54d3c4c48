"""How a graph can be walked: which node can follow which, what each way sets, and what is known where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plexus.graph.classes import classes_of
from plexus.graph.fields import FIELDS
from plexus.graph.state import END, GIVEN
from plexus.text import fold


@dataclass(frozen=True)
class Way:
    """A way out of a node: to the node `target` (or END), setting these aliases."""

    target: str
    aliases: frozenset[str]


@dataclass(frozen=True)
class Flow:
    """`ways` by node; `reached` are the nodes that an item can come to; `sure` and `possible` are the names that
    have a value at a node's start on every way to it, and on some way."""

    ways: Mapping[str, tuple[Way, ...]]
    reached: frozenset[str]
    sure: Mapping[str, frozenset[str]]
    possible: Mapping[str, frozenset[str]]

    def ends(self, name: str) -> bool:
        """Whether some way from the node leads to the end."""
        seen, open_ = {name}, [name]
        while open_:
            for way in self.ways[open_.pop()]:
                if way.target == END:
                    return True
                if way.target in self.ways and way.target not in seen:
                    seen.add(way.target)
                    open_.append(way.target)
        return False


def flow(graph: Sequence[Any]) -> Flow:
    """Follows every way that conditions leave open."""
    ways = {node.name: _ways(node, _following(graph, place)) for place, node in enumerate(graph)}
    own = {node.name: _own(node) for node in graph}
    entry = graph[0].name
    sure: dict[str, frozenset[str]] = {entry: frozenset(GIVEN)}
    possible = dict(sure)
    open_ = [entry]
    while open_:
        name = open_.pop()
        for way in ways[name]:
            if way.target not in ways:
                continue
            added = own[name] | way.aliases
            least, most = sure[name] | added, possible[name] | added
            old = (sure.get(way.target), possible.get(way.target))
            new = (least if old[0] is None else old[0] & least, most if old[1] is None else old[1] | most)
            if new != old:
                sure[way.target], possible[way.target] = new
                open_.append(way.target)
    return Flow(ways, frozenset(sure), sure, possible)


def on_class(node: Any, branch: Any) -> bool:
    """Whether a branch's condition looks at the node's own class, rather than at another field."""
    own = (FIELDS[node.class_name][0], "value", "classification")
    return "classification" in FIELDS[node.class_name] and (branch.state is None or branch.state in own)


def matched(branch: Any, known: Iterable[str]) -> set[str]:
    """Which of the known classes meet a condition, folded."""
    wanted = branch.value if isinstance(branch.value, list) else [branch.value]
    named = {fold(value) for value in wanted}
    folded = {fold(each) for each in known}
    return folded & named if branch.operator in ("==", "in") else folded - named


def _ways(node: Any, following: str) -> tuple[Way, ...]:
    known = classes_of(node)
    left = {fold(each) for each in known} if known is not None else None
    made = []
    for branch in node.conditions:
        if known is not None and left is not None and on_class(node, branch):
            met = matched(branch, known) & left
            left -= met
            if not met:
                continue
        made.append(Way(branch.node, frozenset(branch.output)))
    if left is None or left:
        edge = node.edge
        made.append(Way(edge.node if edge else following, frozenset(edge.output if edge else ())))
    return tuple(made)


def _own(node: Any) -> frozenset[str]:
    names = {node.name, *node.output}
    return frozenset(names | set(node.set) if node.class_name == "LogicalNode" else names)


def _following(graph: Sequence[Any], place: int) -> str:
    name: str = graph[place + 1].name if place + 1 < len(graph) else END
    return name
