"""Conditions on dependencies, and the validation of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus import patterns
from plexus.exceptions import ScoringFailed
from plexus.text import fold
from plexus.values import Outcome, Result, sum_spent

if TYPE_CHECKING:
    from plexus.configuration.common import Condition, Rule, Validation

#: The value of a dependency that was skipped, as conditions and tests spell it.
SKIPPED = "skipped"


def is_met(condition: Condition, value: object) -> bool:
    """Return whether the value meets the condition; values compare as in `are_equal`."""
    is_among = any(are_equal(candidate, value) for candidate in condition.values)
    return is_among if condition.operator in ("==", "in") else not is_among


def are_equal(left: object, right: object) -> bool:
    """Return whether two values are equal with case and white space folded; numbers compare as numbers (3 == 3.0)."""
    if fold(left) == fold(right):
        return True
    try:
        return float(str(left)) == float(str(right))
    except ValueError:
        return False


def describe(name: str, condition: Condition) -> str:
    """Format a condition as a phrase: `Greeting == Yes`."""
    return f"{name} {condition.operator} {', '.join(map(str, condition.values))}"


def validate(outcome: Outcome, score: str, validation: Validation) -> Outcome:
    """Return the outcome unchanged, or a ScoringFailed that names the rule its value or explanation violates.

    An outcome that is an error already is returned as it is.
    """
    if not isinstance(outcome, Result):
        return outcome
    rules = (("value", outcome.value, validation.value), ("explanation", outcome.explanation, validation.explanation))
    for part, text, rule in rules:
        violation = find_violation(text or "", rule) if rule is not None else None
        if violation:
            failure = ScoringFailed(f"{score}: the {part} is not valid: {violation}")
            failure.spent = sum_spent(outcome)
            return failure
    return outcome


def find_violation(text: str, rule: Rule) -> str | None:
    """Return what the text violates, as a phrase that begins with `expected`; None if it satisfies the rule."""
    if rule.valid_classes is not None and fold(text) not in {fold(name) for name in rule.valid_classes}:
        return f"expected one of {', '.join(rule.valid_classes)}"
    if rule.patterns is not None and not any(
        patterns.is_found(patterns.compile_pattern(pattern), text) for pattern in rule.patterns
    ):
        return f"expected a match of {' or '.join(rule.patterns)}"
    if rule.minimum_length is not None and len(text) < rule.minimum_length:
        return f"expected at least {rule.minimum_length} characters"
    if rule.maximum_length is not None and len(text) > rule.maximum_length:
        return f"expected at most {rule.maximum_length} characters"
    return None
