"""FuzzyMatchClassifier and FuzzyMatchExtractor: phrases found without a model, misspelt ones included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexus.graph.references import Reference
from plexus.graph.state import Fields, Run, Work
from plexus.similarity import Likeness, most_like


def classifier(node: Any) -> Work:
    """The first target's `value` (or `found`) when any or all targets are in the text, else `not_found`."""
    source = Reference(tuple(node.source.split(".")))

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        found = _found(node, str(source.find(values)))
        matched = len(found) == len(node.targets) if node.match == "all" else bool(found)
        if not matched:
            said = "Found none of the phrases." if not found else "Found only some of the phrases."
            return {"classification": node.not_found, "value": node.not_found, "explanation": said, "similarity": 0.0}
        target, _likeness = found[0]
        value = target.value if target.value is not None else node.found
        quoted = ", ".join(f"“{each.text}”" for _, each in found)
        likeness = min(each.similarity for _, each in found)
        return {
            "classification": value,
            "value": value,
            "explanation": f"Found {quoted}.",
            "similarity": likeness,
        }

    return work


def extractor(node: Any) -> Work:
    """`value` is the passage most like any target as it stands in the text, empty where none reaches its threshold."""
    source = Reference(tuple(node.source.split(".")))

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        found = _found(node, str(source.find(values)))
        if not found:
            nothing = {"value": "", "found": False, "similarity": 0.0, "start": -1, "end": -1}
            return {**nothing, "explanation": "Found none of the phrases."}
        target, best = max(found, key=lambda each: each[1].similarity)
        return {
            "value": best.text,
            "explanation": f"“{best.text}” is {best.similarity:.0%} like “{target.phrase}”.",
            "found": True,
            "similarity": best.similarity,
            "start": best.start,
            "end": best.end,
        }

    return work


def _found(node: Any, text: str) -> list[tuple[Any, Likeness]]:
    likenesses = ((target, most_like(text, target.phrase, target.threshold)) for target in node.targets)
    return [(target, likeness) for target, likeness in likenesses if likeness is not None]
