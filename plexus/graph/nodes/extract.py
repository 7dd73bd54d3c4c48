"""Extractor: a passage of the text, found by a model and checked against the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.graph.asking import Asker
from plexus.graph.nodes.conversation import Conversation
from plexus.graph.passages import Passage, find_verbatim
from plexus.graph.state import Fields, Run, Work
from plexus.text import fold

_AGAIN = "That is not a passage of the text. Quote the text word for word, and nothing else; or answer: {nothing}."
_QUOTES = "\"'“”‘’«»` \n"


def extractor(node: Any, asker: Asker) -> Work:
    """`value` is the passage as it stands in the text, empty (and `found` false) when there is none."""
    conversation = Conversation(node, asker)
    again = _AGAIN.format(nothing=node.nothing)

    def work(values: Mapping[str, Any], run: Run) -> Fields:
        def read(reply: str) -> Passage | None:
            quoted = reply.strip(_QUOTES)
            if fold(quoted.rstrip(".")) == fold(node.nothing):
                return Passage("", -1, -1)
            if not quoted:
                return None
            return find_verbatim(str(values["text"]), quoted) if node.verbatim else Passage(quoted, -1, -1)

        passage, reply = conversation.answer(values, run, read, again)
        return {
            "value": passage.text,
            "explanation": reply.strip(),
            "found": bool(passage.text),
            "start": passage.start,
            "end": passage.end,
        }

    return work
