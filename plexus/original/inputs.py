"""`input` of the original's nodes: other fields under the names that a node reads, above all another `text`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plexus.document import Yaml
from plexus.original.notes import Notes

_MESSAGES = ("system_message", "user_message", "explanation_message")


def read_inputs(node: dict[str, Yaml], aliases: Collection[str], notes: Notes) -> dict[str, str]:
    """Remove the node's `input`, and return name → field for each name that is read as another field.

    A field that no earlier node sets has no effect in the original.
    """
    listed = node.pop("input", None)
    inputs: dict[str, str] = {}
    for name, source in listed.items() if isinstance(listed, Mapping) else ():
        if not isinstance(source, str) or source not in {*aliases, "text", "metadata", "results"}:
            notes.add("dropped", f"no earlier node sets the field {source!r}, so that {name!r} stays", "input", name)
        elif name != source:
            inputs[name] = source
    return inputs


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
