"""What a processor is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from plexus.values import Item

#: An item → the item with another text. Raises ScoringFailed when it cannot be done.
Process = Callable[[Item], Item]


def with_text(item: Item, text: str) -> Item:
    """The item with another text."""
    return replace(item, text=text)
