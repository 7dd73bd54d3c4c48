"""Which values a node, and a whole graph, can give: read off the configuration, nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.graph.fields import aliases_of, fields_of
from plexus.graph.nodes.logical import as_value
from plexus.graph.state import END, GIVEN

_CLASS_FIELDS = ("classification", "value")


class _Unknown(Exception):
    """Something that can be any text: a passage, a number, what a template or an expression makes."""


def classes_of(node: Any) -> tuple[str, ...] | None:
    """The classifications that a node can give; None where it can be any text, or the node gives none."""
    if node.class_name == "FuzzyMatchClassifier":
        found = [node.found if target.value is None else target.value for target in node.targets]
        return tuple(dict.fromkeys([*found, node.not_found]))
    classes = getattr(node, "valid_classes", None)
    return tuple(dict.fromkeys(classes)) if classes else None


def values_of(configuration: Any) -> tuple[str, ...]:
    """Every value that a LangGraphScore's graph can end with; empty where one of its ends can be any text."""
    try:
        return tuple(dict.fromkeys(_Graph(configuration).values()))
    except _Unknown:
        return ()


class _Graph:
    """Follows a value from the graph's ends back to the nodes that set it."""

    def __init__(self, configuration: Any) -> None:
        self.nodes = {node.name: node for node in configuration.graph}
        self.listed = configuration.graph
        self.output = configuration.output or {"value": "value"}
        self.aliases = {alias for node in self.listed for alias in aliases_of(node)}
        self.others = {*GIVEN, *self.nodes, *(field for node in self.listed for field in fields_of(node))}

    def values(self) -> Iterator[str]:
        for node, output in self._ends():
            if "value" in output:
                yield from self._resolved(output["value"], node, set())
            elif "value" in self.output:
                yield from self._resolved(self.output["value"], node, set())
            else:
                raise _Unknown

    def _ends(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """(node, what its way out sets) of each way to the end."""
        for place, node in enumerate(self.listed):
            for branch in (*node.conditions, *([node.edge] if node.edge else [])):
                if branch.node == END:
                    yield node, branch.output
            if node.edge is None and place == len(self.listed) - 1:
                yield node, {}

    def _resolved(self, source: Any, node: Any, seen: set[str]) -> Iterator[str]:
        """What an `output`'s value stands for, seen from a node: its field, an alias, another node's field, a text."""
        parts = source.split(".") if isinstance(source, str) else [""]
        if len(parts) == 2 and parts[0] in self.nodes:
            yield from _field(self.nodes[parts[0]], parts[1])
        elif len(parts) == 1 and (parts[0] in self.aliases or parts[0] in fields_of(node)):
            if parts[0] in self.aliases:
                yield from self._alias(parts[0], seen)
            if parts[0] in fields_of(node):
                yield from _field(node, parts[0])
        elif parts[0] in self.others:
            raise _Unknown
        elif isinstance(source, (str, int, float)) and source != "":
            yield as_value(source, node.name)

    def _alias(self, alias: str, seen: set[str]) -> Iterator[str]:
        """What every node that sets the alias gives it."""
        if alias in seen:
            raise _Unknown
        for node in self.listed:
            if alias in getattr(node, "set", {}):
                raise _Unknown
            for output in (node.output, *(each.output for each in (*node.conditions, node.edge) if each)):
                if alias not in output:
                    continue
                if output[alias] in fields_of(node):
                    yield from _field(node, output[alias])
                else:
                    yield from self._resolved(output[alias], node, seen | {alias})


def _field(node: Any, name: str) -> Iterator[str]:
    classes = classes_of(node)
    if name not in _CLASS_FIELDS or classes is None:
        raise _Unknown
    yield from classes
