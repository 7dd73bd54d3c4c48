"""Structured replies: the shape that a provider is asked to keep to, and reading one that does.

Where the provider has no such mode, or does not keep to it, the reply is text and is parsed as any other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from plexus.text import fold


@dataclass(frozen=True)
class Answer:
    """A class with the model's own confidence (None where it was not asked for) and its reason."""

    label: str
    confidence: float | None
    explanation: str


def shape(node: Any) -> dict[str, Any]:
    """The JSON Schema of a classifier's reply: its reason before its class, so that the class can follow from it."""
    properties: dict[str, Any] = {
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


def parsed(reply: str) -> dict[str, Any] | None:
    """The JSON object that a reply is, None where it is text."""
    try:
        found = json.loads(reply)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def answer(found: dict[str, Any], node: Any) -> Answer | None:
    """The answer in a JSON object; None where it does not keep to the shape."""
    classes = {fold(each): each for each in node.valid_classes}
    given = found.get("classification")
    label = None if given is None or isinstance(given, bool) else classes.get(fold(given))
    confidence = _confidence(found.get("confidence")) if node.confidence else None
    if label is None or (node.confidence and confidence is None):
        return None
    return Answer(label, confidence, str(found.get("explanation") or ""))


def _confidence(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        return None
    return float(value)
