"""The state fields that each class of node sets."""

from __future__ import annotations

from typing import Any

_ASKING = ("value", "explanation")
FIELDS: dict[str, tuple[str, ...]] = {
    "Classifier": ("classification", "value", "explanation", "confidence"),
    "MultiClassClassifier": ("classification", "value", "explanation", "confidence"),
    "YesOrNoClassifier": ("classification", "value", "explanation", "confidence"),
    "NumericClassifier": ("classification", "value", "explanation", "number"),
    "Extractor": (*_ASKING, "found", "start", "end"),
    "Generator": _ASKING,
    "LogicalClassifier": ("classification", "value", "explanation"),
    "LogicalNode": ("value",),
    "FuzzyMatchClassifier": ("classification", "value", "explanation", "similarity"),
    "FuzzyMatchExtractor": ("value", "explanation", "found", "similarity", "start", "end"),
    "BeforeAfterSlicer": ("value", "before", "after", "found"),
    "ContextExtractor": ("value", "found"),
}


def fields_of(node: Any) -> tuple[str, ...]:
    """What the node sets under its own name."""
    return FIELDS[node.class_name]


def aliases_of(node: Any) -> set[str]:
    """The names that the node adds to the state beside its own."""
    names = set(node.output)
    for branch in (*node.conditions, *([node.edge] if node.edge else [])):
        names |= set(branch.output)
    if node.class_name == "LogicalNode":
        names |= set(node.set)
    return names
