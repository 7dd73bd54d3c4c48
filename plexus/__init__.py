"""Scores texts with scorecards written in YAML.

    card = plexus.load_file("reviews.yaml")
    result = plexus.score(card, "Mentions Refund", plexus.Item("I want my money back."))

Importing this imports nothing heavy: pydantic, scikit-learn, LangGraph and the rest come on first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus import exceptions
from plexus.context import Context
from plexus.exceptions import PlexusError
from plexus.values import ENGINE_VERSION, Item, Outcome, Result, Usage

if TYPE_CHECKING:
    from plexus.scorecard import Scorecard

__all__ = [
    "ENGINE_VERSION",
    "Context",
    "Item",
    "Outcome",
    "PlexusError",
    "Result",
    "Usage",
    "exceptions",
    "load",
    "load_file",
    "score",
    "score_all",
    "score_batch",
]

_NO_LIMITS = Context()


def load(text: str, *, name: str = "scorecard.yaml", folder: Path | None = None) -> Scorecard:
    """The scorecard in a YAML text. Raises InvalidScorecard with all problems at once, each with file, line, column.

    Relative paths in it start at `folder`. Keep the scorecard: it keeps its compiled scorers and loaded models.
    """
    from plexus import scorecard

    return scorecard.load(text, name=name, folder=folder)


def load_file(path: Path | str) -> Scorecard:
    """The scorecard in a YAML file."""
    from plexus import scorecard

    return scorecard.load_file(path)


def score(scorecard: Scorecard, name: str, item: Item, *, context: Context = _NO_LIMITS) -> Result:
    """The result of the score with that name, key or id; what it depends on is scored first.

    Raises UnknownScore, DisabledScore, NotApplicable, ItemWithoutText, ScoringFailed (and its kinds), ArtifactMissing
    or InvalidArtifact; `error.transient` says whether trying again can help.
    """
    (outcome,) = score_batch(scorecard, name, [item], context=context)
    if isinstance(outcome, PlexusError):
        raise outcome
    return outcome


def score_batch(
    scorecard: Scorecard, name: str, items: Iterable[Item], *, context: Context = _NO_LIMITS
) -> list[Outcome]:
    """One outcome per item, in order: a Result, or the error that says why there is none."""
    wanted = scorecard.find(name)
    return _run(scorecard, [name], items, context)[wanted.name]


def score_all(
    scorecard: Scorecard, items: Iterable[Item], *, names: Sequence[str] = (), context: Context = _NO_LIMITS
) -> dict[str, list[Outcome]]:
    """Several scores at once (all that are not disabled, unless named): score name → one outcome per item."""
    chosen = names or [each.name for each in scorecard.scores if not each.configuration.disabled]
    outcomes = _run(scorecard, chosen, items, context)
    return {each.name: outcomes[each.name] for each in map(scorecard.find, chosen)}


def _run(
    scorecard: Scorecard, names: Sequence[str], items: Iterable[Item], context: Context
) -> dict[str, list[Outcome]]:
    from dataclasses import replace

    from plexus import scheduler

    if context.folder is None and scorecard.folder is not None:
        context = replace(context, folder=scorecard.folder)
    return scheduler.run(scorecard, [scorecard.find(name) for name in names], list(items), context)
