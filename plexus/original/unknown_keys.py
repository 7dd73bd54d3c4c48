"""Keys that the original accepts and ignores: holders of anchors, and keys that an anchor brings to other classes."""

from __future__ import annotations

import typing
from collections.abc import Collection

from plexus.configuration.card import AnyScore, Card
from plexus.configuration.graph import AnyNode
from plexus.configuration.validation import list_keys
from plexus.document import Yaml
from plexus.original.notes import Notes
from plexus.problems import suggest


def _list_classes(union: object) -> dict[str, list[str]]:
    """Return the keys of each class of an annotated union of models."""
    models = typing.get_args(typing.get_args(union)[0])
    return {
        name: list_keys(each) for each in models for name in typing.get_args(each.model_fields["class_name"].annotation)
    }


#: Class → the keys that it has here.
NODES = _list_classes(AnyNode)
SCORES = _list_classes(AnyScore)
CARD = list_keys(Card)
_OF_OTHERS = frozenset(key for keys in (*NODES.values(), *SCORES.values()) for key in keys)


def drop_unknown(part: dict[str, Yaml], known: Collection[str], notes: Notes) -> None:
    """Remove the keys that neither this library nor the original has in this place; a misspelling stays, and fails."""
    for key in [key for key in part if known and key not in known]:
        if key.startswith("x-") or key in _OF_OTHERS:
            notes.add("dropped", f"the original does not read {key!r} here", key)
        elif suggest(key, known):
            continue
        else:
            notes.add("unknown", f"{key!r} has no effect: no class of the original is known to read it", key)
        del part[key]
