"""The values that a score can return."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.checks import scores

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard


def list_declared(scorecard: Scorecard, score: Score, context: Context) -> tuple[str, ...]:
    """Return every value that the score can return, or nothing if neither configuration nor model determine them."""
    configuration = score.configuration
    known = scores.list_values(configuration)
    if known is not None:
        return tuple(known)
    if configuration.class_name in ("SVMClassifier", "ExplainableClassifier"):
        model = getattr(scorecard.create_scorer(score, context), "model", None)
        least = (configuration.uncertain,) if configuration.minimum_confidence is not None else ()
        return (*getattr(model, "classes", ()), *least)
    return ()
