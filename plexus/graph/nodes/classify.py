"""Classifier, MultiClassClassifier, YesOrNoClassifier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from plexus.graph import structured
from plexus.graph.asking import Asker
from plexus.graph.labels import parse_label
from plexus.graph.nodes.conversation import Conversation
from plexus.graph.state import Fields, Run, Work
from plexus.graph.structured import Answer

_CONFIDENCE = re.compile(r"(?i)confidence\W{1,4}(\d(?:\.\d+)?)[^\w%]*$|confidence\W{1,4}(\d{1,3}(?:\.\d+)?)\s*%\W*$")
_ASK_CONFIDENCE = "End with a last line `Confidence: N`, where N is from 0 (a guess) to 1 (certain)."


def classifier(node: Any, asker: Asker) -> Work:
    """The reply's class as classification and value; the reply, or a structured one's reason, as explanation."""
    shape = structured.shape(node) if node.structured else None
    conversation = Conversation(node, asker, _ASK_CONFIDENCE if node.confidence and not shape else "", shape)
    again = f"Answer with exactly one of these: {', '.join(node.valid_classes)}."
    if node.confidence:
        again += " " + _ASK_CONFIDENCE

    def read(reply: str) -> Answer | None:
        found = structured.parsed(reply) if shape else None
        if found is not None:
            return structured.answer(found, node)
        confidence, rest = split_confidence(reply) if node.confidence else (None, reply)
        label = parse_label(rest, node.valid_classes, from_start=node.parse_from_start)
        if label is None or (node.confidence and confidence is None):
            return None
        return Answer(label, confidence, reply.strip())

    def work(values: Mapping[str, Any], run: Run) -> Fields:
        answer, _ = conversation.answer(values, run, read, again)
        label = answer.label
        return {
            "classification": label,
            "value": label,
            "explanation": answer.explanation,
            "confidence": answer.confidence,
        }

    return work


def split_confidence(reply: str) -> tuple[float | None, str]:
    """The stated confidence in 0–1 and the reply without it; None when there is none in that range."""
    found = _CONFIDENCE.search(reply.strip())
    if not found:
        return None, reply
    value = float(found[1]) if found[1] is not None else float(found[2]) / 100
    return (value if value <= 1 else None), reply.strip()[: found.start()]
