"""LogicalClassifier and LogicalNode: computed by the restricted language, in no time and without a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plexus.exceptions import ScoringFailed
from plexus.expression import Expression
from plexus.graph.state import Fields, Run, Work
from plexus.graph.templates import Template
from plexus.text import fold


def classifier(node: Any) -> Work:
    """The expression's value as classification; with `valid_classes`, anything else is a failure."""
    expression = Expression(node.expression)
    explanation = Template(node.explanation) if node.explanation is not None else None
    classes = {fold(each): each for each in node.valid_classes or []}

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        value = as_value(expression(values), node.name)
        if classes and fold(value) not in classes:
            raise ScoringFailed(f"the node {node.name!r} gave a value that is none of its classes")
        value = classes.get(fold(value), value)
        said = explanation.render({**values, "classification": value}) if explanation is not None else None
        return {"classification": value, "value": value, "explanation": said}

    return work


def setter(node: Any) -> Work:
    """Each alias gets its expression's value; later ones see earlier ones."""
    expressions = {alias: Expression(source) for alias, source in node.set.items()}

    def work(values: Mapping[str, Any], _: Run) -> Fields:
        made: dict[str, Any] = {}
        for alias, expression in expressions.items():
            made[alias] = expression({**values, **made})
        return {"value": made[alias], "set": made}

    return work


def as_value(value: Any, name: str) -> str:
    """A result's value is text: true is Yes, false is No. Raises ScoringFailed for nothing at all."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and not math.isfinite(value):
        raise ScoringFailed(f"{name!r} gave no value: a number that is infinite, or none at all")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int, float)) or value == "":
        raise ScoringFailed(f"{name!r} gave no value: a {type(value).__name__}, expected text, a number or a truth")
    return str(value)
