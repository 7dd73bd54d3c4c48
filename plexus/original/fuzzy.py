"""The original's targets of fuzzy matching: a tree of phrases; ours is one list of which any or all are needed."""

from __future__ import annotations

from collections.abc import Mapping

from plexus.document import Yaml
from plexus.original.notes import Notes

#: The original's scorers, and what they compare here; QRatio is ratio for texts that are not empty.
_SCORERS = {
    "partial_ratio": "passage",
    "ratio": "whole",
    "QRatio": "whole",
    "token_sort_ratio": "sorted_words",
    "token_set_ratio": "common_words",
}


def translate_targets(node: dict[str, Yaml], notes: Notes) -> dict[str, Yaml]:
    """Remove the original's keys from the node, and return ours in their place."""
    ours: dict[str, Yaml] = {}
    targets = node.pop("targets", None)
    group = targets if isinstance(targets, Mapping) and "items" in targets else {"operator": "or", "items": [targets]}
    items = group.get("items")
    listed = items if isinstance(items, list) else []
    if any(not isinstance(item, Mapping) or "items" in item for item in listed):
        message = "nested groups have no counterpart. next: use a node for each group, and a LogicalClassifier"
        notes.add("unsupported", message, "targets")
        for key in ("classification_mapping", "data_paths", "default_classification"):
            node.pop(key, None)
        return {"targets": [{"phrase": "unsupported", "value": "unsupported"}]}
    values = node.pop("classification_mapping", None)
    ours["targets"] = [
        _translate_target(item, values if isinstance(values, Mapping) else {}, notes.at("targets", "items", place))
        for place, item in enumerate(listed)
        if isinstance(item, Mapping)
    ]
    if group.get("operator") == "and" and len(listed) > 1:
        ours["match"] = "all"
        notes.add("changed", "the first phrase decides the class; the original's most similar one does", "targets")
    if (default := node.pop("default_classification", None)) is not None:
        ours["not_found"] = default
    if (source := _find_source(node.pop("data_paths", None))) is not None:
        ours["source"] = source
    return ours


def _translate_target(item: Mapping[str, Yaml], values: Mapping[str, Yaml], notes: Notes) -> Yaml:
    phrase, threshold = item.get("target"), item.get("threshold")
    scorer = str(item.get("scorer", "ratio"))
    target: dict[str, Yaml] = {"phrase": phrase, "value": values.get(str(phrase), phrase)}
    if isinstance(threshold, (int, float)) and not isinstance(threshold, bool):
        target["threshold"] = max(threshold / 100, 0.01)
    if scorer not in _SCORERS:
        known = ", ".join(_SCORERS)
        notes.add("unsupported", f"the scorer {scorer!r} has no counterpart. next: use one of {known}", "scorer")
    elif scorer != "partial_ratio":
        target["compare"] = _SCORERS[scorer]
    if not item.get("preprocess", False):
        notes.add(
            "changed", "case and punctuation do not count; in the original they do without `preprocess`", "target"
        )
    return target


def _find_source(paths: Yaml) -> Yaml:
    """Return the fields to search; None for the text."""
    listed: list[Yaml] = paths if isinstance(paths, list) else [paths] if isinstance(paths, str) else []
    return None if listed in ([], ["text"]) else listed
