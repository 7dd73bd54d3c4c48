"""`input` of the original's nodes: other fields under the names that a node reads, above all another `text`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plexus.document import Yaml
from plexus.original.notes import Notes

_MESSAGES = ("system_message", "user_message", "explanation_message")


def read_inputs(node: dict[str, Yaml], aliases: Collection[str], notes: Notes, *, has_jumps: bool) -> dict[str, str]:
    """Remove the node's `input`, and return name → field for each name that is read as another field.

    A field that no earlier node sets has no effect in the original. With `has_jumps`, a path may leave nodes out.
    """
    listed = node.pop("input", None)
    inputs: dict[str, str] = {}
    for name, source in listed.items() if isinstance(listed, Mapping) else ():
        if not isinstance(source, str) or source not in {*aliases, "text", "metadata", "results"}:
            notes.add("dropped", f"no earlier node sets the field {source!r}, so that {name!r} stays", "input", name)
        elif name != source:
            inputs[name] = source
    if inputs and has_jumps:
        message = "the nodes behind this one read it on every path; in the original, on those through this node"
        notes.add("changed", message, "input")
    return inputs


def find_jumps(listed: Sequence[Yaml]) -> bool:
    """Return whether an edge of the graph leads to a node by its name, so that a path may leave nodes out."""
    nodes = [node for node in listed if isinstance(node, Mapping)]
    edges = [node.get("edge") for node in nodes]
    for node in nodes:
        edges += conditions if isinstance(conditions := node.get("conditions"), list) else []
    return any(isinstance(edge, Mapping) and edge.get("node") not in (None, "END") for edge in edges)


def replace_inputs(node: dict[str, Yaml], inputs: Mapping[str, str]) -> None:
    """Begin each message with the names that stand for other fields, as in `{% set text = after %}`."""
    begin = "".join(f"{{% set {name} = {source} %}}" for name, source in inputs.items())
    for key in _MESSAGES:
        if isinstance(message := node.get(key), str):
            node[key] = begin + message


def fold_lines(node: dict[str, Yaml], notes: Notes) -> None:
    """Join the lines of each message with `single_line_messages`, as the original does before it fills them in."""
    if node.pop("single_line_messages", False) is not True:
        return
    for key in _MESSAGES[:2]:
        if isinstance(message := node.get(key), str) and message != (folded := " ".join(message.split())):
            node[key] = folded
            notes.add("renamed", "`single_line_messages`: the message is one line", key)
