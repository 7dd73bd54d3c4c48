"""What each class of score must satisfy beyond its shape: patterns that compile, expressions that parse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.problems import Finding, Path


def check(models: dict[int, Any]) -> list[Finding]:
    """Findings about single scores."""
    found: list[Finding] = []
    for index, model in models.items():
        path: Path = ("scores", index)
        if model.class_name == "KeywordClassifier":
            found += _keyword(model, path)
        if model.validation is not None:
            for part in ("value", "explanation"):
                rule = getattr(model.validation, part)
                if rule is not None:
                    found += _patterns(rule.patterns or [], (*path, "validation", part, "patterns"))
    return found


def _keyword(model: Any, path: Path) -> Iterator[Finding]:
    yield from _patterns(model.patterns, (*path, "patterns"))
    for place, each in enumerate(model.classes):
        yield from _patterns(each.patterns, (*path, "classes", place, "patterns"))


def _patterns(patterns: list[str], path: Path) -> Iterator[Finding]:
    from plexus import patterns as engine

    for place, pattern in enumerate(patterns):
        reason = engine.problem(pattern)
        if reason:
            yield Finding((*path, place), f"not a regular expression of RE2: {reason}", rule="pattern")
