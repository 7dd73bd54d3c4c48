"""Fields, aliases and classes that nodes and graphs can return, derived from the configuration alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from plexus.graph.state import END, INITIAL_NAMES
from plexus.values import format_value

if TYPE_CHECKING:
    from plexus.configuration.graph import AnyNode, Branch, Edge, LangGraphScore, ModelNode

_REPLY_FIELDS = ("value", "explanation")
#: The state fields that each class of node sets; conditions read the first unless they name another.
FIELDS: dict[str, tuple[str, ...]] = {
    "Classifier": ("classification", "value", "explanation", "confidence"),
    "MultiClassClassifier": ("classification", "value", "explanation", "confidence"),
    "YesOrNoClassifier": ("classification", "value", "explanation", "confidence"),
    "NumericClassifier": ("classification", "value", "explanation", "number"),
    "Extractor": (*_REPLY_FIELDS, "found", "start", "end"),
    "Generator": _REPLY_FIELDS,
    "LogicalClassifier": ("classification", "value", "explanation"),
    "LogicalNode": ("value",),
    "FuzzyMatchClassifier": ("classification", "value", "explanation", "similarity", "found"),
    "FuzzyMatchExtractor": ("value", "explanation", "found", "similarity", "start", "end"),
    "BeforeAfterSlicer": ("value", "before", "after", "found"),
    "ContextExtractor": ("value", "found"),
}
#: The state fields that hold a node's class.
CLASS_FIELDS = ("classification", "value")


class _AnyText(Exception):
    """The value can be any text: a passage, a number, what a template or an expression computes."""


def as_model_node(node: AnyNode) -> ModelNode | None:
    """Return the node if it calls a model, otherwise None."""
    from plexus.configuration.graph import PromptNode

    return node if isinstance(node, PromptNode) else None


def list_fields(node: AnyNode) -> tuple[str, ...]:
    """Return the fields that the node sets under its own name."""
    return FIELDS[node.class_name]


def list_edges(node: AnyNode) -> Iterator[tuple[tuple[str | int, ...], Branch | Edge]]:
    """Yield (path inside the node, edge) of the node's written edges: its conditions in order, then `edge`."""
    for index, branch in enumerate(node.conditions):
        yield ("conditions", index), branch
    if node.edge is not None:
        yield ("edge",), node.edge


def list_aliases(node: AnyNode) -> set[str]:
    """Return the names that the node adds to the state beside its own."""
    names = set(node.output)
    for _, edge in list_edges(node):
        names |= set(edge.output)
    if node.class_name == "LogicalNode":
        names |= set(node.set)
    return names


def list_classes(node: AnyNode) -> tuple[str, ...] | None:
    """Return the classes that a node can give, each once; None if it gives any text, or no class."""
    if node.class_name == "FuzzyMatchClassifier":
        values = [node.found if target.value is None else target.value for target in node.targets]
        return tuple(dict.fromkeys([*values, node.not_found]))
    if node.class_name in ("Classifier", "MultiClassClassifier", "YesOrNoClassifier", "LogicalClassifier"):
        return tuple(dict.fromkeys(node.valid_classes)) if node.valid_classes else None
    return None


def list_end_values(configuration: LangGraphScore) -> tuple[str, ...]:
    """Return every value that a graph can end with, each once; empty if one of its ends can be any text."""
    try:
        return tuple(dict.fromkeys(_Graph(configuration).values()))
    except _AnyText:
        return ()


class _Graph:
    """Traces a value from the graph's ends back to the nodes that set it."""

    def __init__(self, configuration: LangGraphScore) -> None:
        self.nodes: dict[str, AnyNode] = {node.name: node for node in configuration.graph}
        self.nodes_in_order = configuration.graph
        self.output = configuration.output or {"value": "value"}
        self.aliases = {alias for node in self.nodes_in_order for alias in list_aliases(node)}
        self.others = {
            *INITIAL_NAMES,
            *self.nodes,
            *(field for node in self.nodes_in_order for field in list_fields(node)),
        }

    def values(self) -> Iterator[str]:
        for node, output in self._list_ends():
            if "value" in output:
                yield from self._resolve(output["value"], node, set())
            elif "value" in self.output:
                yield from self._resolve(self.output["value"], node, set())
            else:
                raise _AnyText

    def _list_ends(self) -> Iterator[tuple[AnyNode, Mapping[str, object]]]:
        """Yield (node, what its edge sets) of each edge to END."""
        for index, node in enumerate(self.nodes_in_order):
            for _, edge in list_edges(node):
                if edge.node == END:
                    yield node, edge.output
            if node.edge is None and index == len(self.nodes_in_order) - 1:
                yield node, {}

    def _resolve(self, source: object, node: AnyNode, traced: set[str]) -> Iterator[str]:
        """Yield the values of an `output`'s source at a node: its field, an alias, another node's field, a literal."""
        parts = source.split(".") if isinstance(source, str) else [""]
        if len(parts) == 2 and parts[0] in self.nodes:
            yield from _list_field_values(self.nodes[parts[0]], parts[1])
        elif len(parts) == 1 and (parts[0] in self.aliases or parts[0] in list_fields(node)):
            if parts[0] in self.aliases:
                yield from self._resolve_alias(parts[0], traced)
            if parts[0] in list_fields(node):
                yield from _list_field_values(node, parts[0])
        elif parts[0] in self.others:
            raise _AnyText
        elif isinstance(source, (str, int, float)) and source != "":
            yield format_value(source, node.name)

    def _resolve_alias(self, alias: str, traced: set[str]) -> Iterator[str]:
        """Yield the values that each node which sets the alias gives it."""
        if alias in traced:  # an alias that is defined by itself
            raise _AnyText
        for node in self.nodes_in_order:
            if node.class_name == "LogicalNode" and alias in node.set:
                raise _AnyText
            for output in (node.output, *(edge.output for _, edge in list_edges(node))):
                if alias not in output:
                    continue
                source = output[alias]
                if isinstance(source, str) and source in list_fields(node):
                    yield from _list_field_values(node, source)
                else:
                    yield from self._resolve(source, node, traced | {alias})


def _list_field_values(node: AnyNode, name: str) -> Iterator[str]:
    classes = list_classes(node)
    if name not in CLASS_FIELDS or classes is None:
        raise _AnyText
    yield from classes
