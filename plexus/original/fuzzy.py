"""The original's targets of fuzzy matching: a tree of phrases; ours is one list of which any or all are needed."""

from __future__ import annotations

from collections.abc import Mapping

from plexus.document import Yaml
from plexus.original.notes import Notes


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
        return {}
    values = node.pop("classification_mapping", None)
    ours["targets"] = [
        _translate_target(item, values if isinstance(values, Mapping) else {}, notes.at("targets", "items", place))
        for place, item in enumerate(listed)
        if isinstance(item, Mapping)
    ]
    if group.get("operator") == "and" and len(listed) > 1:
        ours["match"] = "all"
    if (default := node.pop("default_classification", None)) is not None:
        ours["not_found"] = default
    if (source := _find_source(node.pop("data_paths", None), notes)) is not None:
        ours["source"] = source
    return ours


def _translate_target(item: Mapping[str, Yaml], values: Mapping[str, Yaml], notes: Notes) -> Yaml:
    phrase, threshold = item.get("target"), item.get("threshold")
    target: dict[str, Yaml] = {"phrase": phrase}
    if isinstance(threshold, (int, float)):
        target["threshold"] = threshold / 100 if threshold > 1 else threshold
    if phrase in values:
        target["value"] = values[str(phrase)]
    if item.get("scorer", "ratio") != "partial_ratio":
        message = "similarity is that of the passage most like the phrase; the original's default compares whole texts"
        notes.add("changed", message, "scorer" if "scorer" in item else "target")
    return target


def _find_source(paths: Yaml, notes: Notes) -> str | None:
    """Return the field to search; None for the text."""
    listed = paths if isinstance(paths, list) else [paths] if isinstance(paths, str) else []
    if listed in ([], ["text"]):
        return None
    if len(listed) == 1 and isinstance(listed[0], str) and "[" not in listed[0]:
        return listed[0]
    message = f"expected one path without [], got {listed}. next: use a node for each path, and a LogicalClassifier"
    notes.add("unsupported", message, "data_paths")
    return None
