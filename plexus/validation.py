"""Checks after scoring: a result outside the `validation` of its score is a failure, never a value."""

from __future__ import annotations

from typing import Any

from plexus import patterns
from plexus.exceptions import ScoringFailed
from plexus.text import fold
from plexus.values import Outcome, Result


def validated(outcome: Outcome, score: str, validation: Any) -> Outcome:
    """The outcome itself, or the failure that says what its result violates."""
    if validation is None or not isinstance(outcome, Result):
        return outcome
    for part, given in (("value", outcome.value), ("explanation", outcome.explanation or "")):
        rule = getattr(validation, part)
        why = violation(given, rule) if rule is not None else None
        if why:
            return ScoringFailed(f"{score}: the {part} is not valid: {why}")
    return outcome


def violation(given: str, rule: Any) -> str | None:
    """What the text violates, None when nothing."""
    if rule.valid_classes is not None and fold(given) not in {fold(each) for each in rule.valid_classes}:
        return f"expected one of {', '.join(rule.valid_classes)}"
    if rule.patterns is not None and not any(patterns.compiled(each).search(given) for each in rule.patterns):
        return f"expected a match of {' or '.join(rule.patterns)}"
    if rule.minimum_length is not None and len(given) < rule.minimum_length:
        return f"expected at least {rule.minimum_length} characters"
    if rule.maximum_length is not None and len(given) > rule.maximum_length:
        return f"expected at most {rule.maximum_length} characters"
    return None
