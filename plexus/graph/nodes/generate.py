"""Generator: text of any form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.graph.asking import Asker
from plexus.graph.nodes.conversation import Conversation
from plexus.graph.state import Fields, Run, Work


def generator(node: Any, asker: Asker) -> Work:
    """`value` and `explanation` are the reply; an empty one is asked for again."""
    conversation = Conversation(node, asker)

    def work(values: Mapping[str, Any], run: Run) -> Fields:
        text, _ = conversation.answer(values, run, lambda reply: reply.strip() or None, "The reply was empty.")
        return {"value": text, "explanation": text}

    return work
