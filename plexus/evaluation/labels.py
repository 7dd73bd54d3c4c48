"""What is known of a score: the values that it can return, its value in doubt, and the texts that it learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.checks import scores
from plexus.exceptions import PlexusError
from plexus.tables import open_table
from plexus.tables.labels import Labelled, read_labelled
from plexus.text import fold

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard


def list_declared(scorecard: Scorecard, score: Score, context: Context) -> tuple[str, ...]:
    """Return every value that the score can return, or nothing if neither configuration nor model determine them.

    The model of a trained score is loaded: raises as `Scorecard.create_scorer` does.
    """
    configuration = score.configuration
    known = scores.list_values(configuration)
    if known is not None:
        return tuple(known)
    if configuration.class_name in ("SVMClassifier", "ExplainableClassifier"):
        model = getattr(scorecard.create_scorer(score, context), "model", None)
        doubt = find_abstention(score)
        return (*getattr(model, "classes", ()), *([doubt] if doubt is not None else []))
    return ()


def find_abstention(score: Score) -> str | None:
    """Return the value of a trained score that is in doubt; None if the score always decides."""
    configuration = score.configuration
    if configuration.class_name not in ("SVMClassifier", "ExplainableClassifier"):
        return None
    return None if configuration.minimum_confidence is None else configuration.uncertain


def count_in_training_data(scorecard: Scorecard, score: Score, texts: Sequence[Labelled]) -> int | None:
    """Return how many texts are in the table that the score's `data` names, whatever their case and white space.

    None if the score is not trained, names no table, or its table cannot be read on this machine.
    """
    configuration = score.configuration
    data = configuration.data
    is_trained = configuration.class_name in ("SVMClassifier", "ExplainableClassifier")
    if not is_trained or data is None or data.file is None:
        return None
    path = (scorecard.folder or Path()) / data.file
    try:
        with open_table(path, [data.text, data.label], **data.layout) as table:
            known = {fold(entry.item.text or "") for entry in read_labelled(table, data.text, data.label)}
    except (PlexusError, OSError):
        return None
    return sum(fold(entry.item.text or "") in known for entry in texts)
