"""Processors of transcripts, whose lines begin with a speaker: `Agent: Hello.`"""

from __future__ import annotations

from typing import Any

from plexus import patterns
from plexus.exceptions import ScoringFailed
from plexus.processors.step import Process, with_text
from plexus.processors.turns import SPEAKER, Turn, turns
from plexus.text import fold
from plexus.values import Item

_NUMBER = r"[\s#_-]*\p{Nd}+$"


def remove_identifiers(_: Any) -> Process:
    """`Agent: hello` becomes `hello`."""
    pattern = patterns.compiled(SPEAKER)

    def process(item: Item) -> Item:
        return with_text(item, pattern.sub("", item.text or ""))

    return process


def customer_only(configuration: Any) -> Process:
    """Keeps the customer's turns, without the speaker. Raises ScoringFailed when there is none."""
    customers = {_role(name) for name in configuration.speakers}

    def process(item: Item) -> Item:
        said = turns(item.text or "")
        kept = [turn.text for turn in said if turn.speaker is not None and _role(turn.speaker) in customers]
        if not kept:
            raise ScoringFailed(f"no turn of {len(said)} is the customer's (one of: {', '.join(sorted(customers))})")
        return with_text(item, "\n".join(kept))

    return process


def enumerate_speakers(configuration: Any) -> Process:
    """Each speaker's name becomes the label and a number, by first appearance."""

    def process(item: Item) -> Item:
        said = turns(item.text or "")
        names = dict.fromkeys(fold(turn.speaker) for turn in said if turn.speaker is not None)
        numbers = {name: number for number, name in enumerate(names, start=1)}
        named = [
            turn if turn.speaker is None else Turn(f"{configuration.label} {numbers[fold(turn.speaker)]}", turn.text)
            for turn in said
        ]
        return with_text(item, "\n".join(map(str, named)))

    return process


def _role(name: str) -> str:
    role: str = patterns.compiled(_NUMBER).sub("", fold(name))
    return role
