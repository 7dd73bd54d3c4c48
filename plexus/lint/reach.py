"""Conditions and nodes that no text can reach, because earlier conditions on every path to them rule them out.

The classes that each node may have had are followed along every path; where paths meet, either may have been taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from plexus.checks import flow
from plexus.conditions import is_met
from plexus.graph.node_outputs import CLASS_FIELDS, list_classes, list_edges, list_fields
from plexus.graph.state import END
from plexus.problems import Finding, KeyPath
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.configuration.graph import AnyNode, Branch, LangGraphScore, NumericClassifier

#: Node → the folded classes that it may have had.
Classes = Mapping[str, frozenset[str]]


def check(score: LangGraphScore, path: KeyPath) -> Iterator[Finding]:
    """Yield a warning for each condition and node that no text reaches; of a chain of nodes, for the first one."""
    names = [node.name for node in score.graph]
    targets = {edge.node for node in score.graph for _, edge in list_edges(node)}
    if len(set(names)) < len(names) or not targets <= {*names, END}:
        return  # reported by the rule `graph`
    walk = _Walk(score.graph)
    reachable = flow.follow(score.graph).reached
    dead: set[str] = set()
    for index, node in enumerate(score.graph):
        node_path = (*path, "graph", index)
        if node.name not in walk.arriving:
            if node.name in reachable and not dead & walk.predecessors[node.name]:
                yield Finding(
                    (*node_path, "name"), f"no text reaches the node {node.name!r}", "warning", "never-reached"
                )
            dead.add(node.name)
            continue
        for number, branch in enumerate(node.conditions):
            # Conditions on the node's own class have rules of their own: impossible-class, unreachable-condition.
            is_own = list_classes(node) is not None and flow.compares_class(node, branch)
            if number not in walk.taken[node.name] and not is_own:
                message = "no text meets this condition: what it compares has been decided before, or cannot be"
                yield Finding((*node_path, "conditions", number, "value"), message, "warning", "never-reached")


class _Walk:
    """One pass over the graph: the classes on arrival at each node, and the conditions that can be met there."""

    def __init__(self, graph: Sequence[AnyNode]) -> None:
        self.nodes = {node.name: node for node in graph}
        self.following = {node.name: after.name for node, after in itertools.pairwise(graph)}
        self.classes = {name: frozenset(map(fold, list_classes(node) or ())) for name, node in self.nodes.items()}
        self.aliases = self._find_aliases(graph)
        self.arriving: dict[str, Classes] = {graph[0].name: {}}
        self.taken: dict[str, set[int]] = {name: set() for name in self.nodes}
        self.predecessors: dict[str, set[str]] = {name: set() for name in (*self.nodes, END)}
        for node in graph:
            for target in (self._get_default(node), *(branch.node for branch in node.conditions)):
                self.predecessors[target].add(node.name)
        pending = [graph[0].name]
        while pending:
            name = pending.pop()
            for target, classes in self._leave(self.nodes[name]):
                if target != END and self._arrive(target, classes):
                    pending.append(target)

    def _find_aliases(self, graph: Sequence[AnyNode]) -> dict[str, str]:
        """Return alias → node for aliases that a node sets to its class each time, and that nothing else sets."""
        by_name: dict[str, list[str | None]] = {}
        for node in graph:
            for alias, source in node.output.items():
                by_name.setdefault(alias, []).append(node.name if source in CLASS_FIELDS else None)
            elsewhere = [alias for _, edge in list_edges(node) for alias in edge.output]
            for alias in (*elsewhere, *(node.set if node.class_name == "LogicalNode" else ())):
                by_name.setdefault(alias, []).append(None)
        return {alias: owners[0] for alias, owners in by_name.items() if len(owners) == 1 and owners[0] is not None}

    def _get_default(self, node: AnyNode) -> str:
        return node.edge.node if node.edge is not None else self.following.get(node.name, END)

    def _find_subject(self, node: AnyNode, branch: Branch) -> str | None:
        """Return the node whose class a condition compares, None if it compares something else."""
        if flow.compares_class(node, branch):
            return node.name
        owner, _, field = (branch.state or "").partition(".")
        if field:
            return owner if owner in self.nodes and field in CLASS_FIELDS else None
        return None if owner in list_fields(node) or owner in node.output else self.aliases.get(owner)

    def _leave(self, node: AnyNode) -> Iterator[tuple[str, Classes]]:
        """Yield (target, classes) of each edge that some text can take."""
        left: dict[str, frozenset[str]] = {**self.arriving[node.name], node.name: self.classes[node.name]}
        for index, branch in enumerate(node.conditions):
            subject = self._find_subject(node, branch)
            possible = left.get(subject or "")
            if subject is None or not possible:
                if node.class_name == "NumericClassifier" and _is_out_of_range(node, branch):
                    continue
                self.taken[node.name].add(index)
                yield branch.node, left
                continue
            met = frozenset(name for name in possible if is_met(branch, name))
            if not met:
                continue
            self.taken[node.name].add(index)
            yield branch.node, {**left, subject: met}
            left[subject] = possible - met
            if not left[subject]:
                return
        yield self._get_default(node), left

    def _arrive(self, name: str, classes: Classes) -> bool:
        """Add the classes of one more path to a node; return whether they were new there."""
        old = self.arriving.get(name)
        if old is None:
            self.arriving[name] = classes
            return True
        # A class that one of the paths does not know may be anything, or missing.
        merged = {owner: old[owner] | classes[owner] for owner in old if owner in classes}
        self.arriving[name] = merged
        return merged != old


def _is_out_of_range(node: NumericClassifier, branch: Branch) -> bool:
    """Return whether no number that the node can give meets a condition on it."""
    if branch.operator not in ("==", "in") or branch.state not in (None, "number", "value", "classification"):
        return False
    return not any(_allows(node, value) for value in branch.values)


def _allows(node: NumericClassifier, value: object) -> bool:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return node.allows(number)
