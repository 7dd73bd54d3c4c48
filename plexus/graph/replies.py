"""Read a model's reply: the class, the confidence or the number that it names.

A structured reply is JSON of a requested shape. If the provider has no such mode, or ignores it, the reply is text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from plexus.graph.assertions import ANSWERS
from plexus.graph.labels import match_label, parse_label
from plexus.graph.numbers import parse_number
from plexus.graph.reply import Reply
from plexus.graph.surroundings import is_upheld

if TYPE_CHECKING:
    from plexus.configuration.graph import Classifier, NumericClassifier, YesOrNoClassifier

    ClassNode: TypeAlias = Classifier | YesOrNoClassifier

# `Confidence: 90 % (rather sure)`, but no bound such as `>0.9`
_CONFIDENCE = re.compile(
    r"(?i)confidence[^\w<>≤≥]{1,4}(?<![-−.,])((?:\d{1,3}(?:[.,]\d+)?|\.\d+)\s*(?:%|percent)?)(?:\s*\([^()\n]*\))?\W*$"
)
_CORRECTED = re.compile(rf"\b(?:{ANSWERS})\b|\A\W*(?:\w+\W+)?[-−]?\d[\d.,]*\W*\Z")
_SHARE = re.compile(r"(\d{1,3}(?:[.,]\d+)?|\.\d+)\s*(%|percent|)", re.IGNORECASE)


@dataclass(frozen=True)
class ClassReply:
    """A class, the model's confidence in it from 0 to 1 (None if it was not asked for), and its reason."""

    label: str
    confidence: float | None
    explanation: str


def build_schema(node: ClassNode) -> dict[str, object]:
    """Return the JSON Schema of a classifier's reply.

    The explanation comes before the class, so that the model can reason before it decides.
    """
    properties: dict[str, object] = {
        "explanation": {"type": "string", "description": "Why, in one or two sentences."},
        "classification": {"type": "string", "enum": list(node.valid_classes)},
    }
    if node.confidence:
        properties["confidence"] = {"type": "number", "description": "From 0 (a guess) to 1 (certain)."}
    return {
        "title": "answer",
        "description": "The answer to the question.",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_class(content: Mapping[str, object], node: ClassNode) -> ClassReply | None:
    """Return the class in a structured reply, None if the reply does not have the requested shape."""
    classification = content.get("classification")
    is_named = classification is not None and not isinstance(classification, bool)
    label = match_label(str(classification), node.valid_classes) if is_named else None
    confidence = _read_confidence(content.get("confidence")) if node.confidence else None
    if label is None or (node.confidence and confidence is None):
        return None
    return ClassReply(label, confidence, str(content.get("explanation") or ""))


def read_text(reply: Reply, node: ClassNode) -> ClassReply | None:
    """Return the class that a reply in words names, None if it names none or a requested confidence is missing."""
    confidence, rest = None, reply.answer
    content = reply.structured
    if node.confidence:
        confidence = split_confidence(reply.text)[0]
        rest = rest if content is not None else split_confidence(rest)[1]
    if content is not None and confidence is None:
        confidence = _read_confidence(content.get("confidence"))
    label = parse_label(rest, node.valid_classes, from_start=node.parse_from_start)
    if label is None and content is not None and _SHARE.fullmatch(rest):
        # `{"sentiment": "Negative", "score": 0.91}`: the score is not the answer.
        label = parse_label(reply.quotation, node.valid_classes, from_start=node.parse_from_start)
    if label is None or (node.confidence and confidence is None):
        return None
    if not is_upheld(*reply.surroundings, label, partial(parse_label, classes=node.valid_classes)):
        return None
    return ClassReply(label, confidence, reply.text.strip())


def _read_confidence(value: object) -> float | None:
    """Return a confidence from 0 to 1: 0.9, "0.9", "90%" and 90 are equal; None for anything else.

    A number above 1 and up to 10 is rejected: it may be of a scale to 10.
    """
    match = _SHARE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        return None
    number = float(match[1].replace(",", "."))
    if match[2] or 10 < number <= 100:
        number /= 100
    return number if number <= 1 else None


def split_confidence(reply: str) -> tuple[float | None, str]:
    """Return the confidence that ends a reply, from 0 to 1, and the reply without it.

    Percentages are converted. The confidence is None if there is none, or if it is not one.
    """
    match = _CONFIDENCE.search(reply.strip())
    if not match:
        return None, reply
    return _read_confidence(match[1]), reply.strip()[: match.start()]


def read_number(reply: Reply, node: NumericClassifier) -> Decimal | None:
    """Return the number that a reply gives, None if it gives none or one that the node does not allow."""
    number = parse_number(reply.answer, from_start=node.parse_from_start)
    if number is None or not node.allows(number):
        return None
    return number if is_upheld(*reply.surroundings, str(number), _read_correction) else None


def _read_correction(sentence: str) -> Decimal | None:
    """Return the number that a sentence gives as an answer: `the score is 3`, but not `2 calls were late`."""
    return parse_number(sentence) if _CORRECTED.search(sentence) else None
