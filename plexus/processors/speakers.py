"""Processors of transcripts, whose lines begin with a speaker: `Agent: Hello.`"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from plexus import patterns
from plexus.values import Item

# Up to three capitalised or numbered words before a colon; a time or a URL is not a speaker.
_SPEAKER = r"(?m)^[ \t]*(\pL[\pL\pN_'.-]*(?: [\pL\pN#][\pL\pN_'.-]*){0,2})[ \t]*:(?:[ \t]+|$)"


def remove_identifiers(_: Any) -> Any:
    """`Agent: hello` becomes `hello`."""
    pattern = patterns.compiled(_SPEAKER)

    def process(item: Item) -> Item:
        return replace(item, text=pattern.sub("", item.text or ""))

    return process
