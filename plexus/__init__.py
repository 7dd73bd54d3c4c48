"""Score texts with scorecards written in YAML.

    card = plexus.load_file("reviews.yaml")
    result = plexus.score(card, "Mentions Refund", plexus.Item("I want my money back."))

`import plexus` is light: pydantic, RE2, scikit-learn, XGBoost and LangGraph are imported on first use.

How a score is computed, one module after the other:

    document       YAML text → plain values with line and column
    configuration  plain values → validated pydantic models
    checks         models → findings about names, dependencies and graphs
    scorecard      models → Scorecard, with scorers and processors on first use
    scheduler      scores in the order of their dependencies; items → requests
    processors     the item's text, prepared
    scores         a scorer per class: requests → outcomes (graph/ runs the nodes of a LangGraphScore)
    conditions     the result, validated
    limits         what all of this may cost: work, memory, time
    values         Result, or the PlexusError that explains why there is none
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus import exceptions
from plexus.context import Context
from plexus.exceptions import PlexusError
from plexus.usage import Usage
from plexus.values import ENGINE_VERSION, Item, Outcome, Result

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
    """Load a scorecard from YAML text.

    `name` is what problems call the file; relative paths in the YAML start at `folder`. Raises InvalidScorecard with
    all problems at once, each with file, line and column. Keep the scorecard while it is used: it caches its compiled
    scorers and loaded models.
    """
    from plexus import scorecard

    return scorecard.load(text, name=name, folder=folder)


def load_file(path: Path | str) -> Scorecard:
    """Load a scorecard from a UTF-8 YAML file; relative paths in it start at the file's folder.

    Raises InvalidScorecard, as `load` does, also if the file cannot be read.
    """
    from plexus import scorecard

    return scorecard.load_file(path)


def score(scorecard: Scorecard, name: str, item: Item, *, context: Context = _NO_LIMITS) -> Result:
    """Score one item with the score of that name, key or id; its dependencies are scored first.

    Raises the PlexusError that prevents a result: UnknownScore, DisabledScore, NotApplicable, ItemWithoutText,
    ScoringFailed (also DeadlineExceeded, BudgetExceeded, CassetteMiss, LimitExceeded, UnsafeCode, ProcessorFailed),
    ArtifactMissing, InvalidArtifact or MissingDependency. `error.transient` is true if a retry may succeed.
    """
    (outcome,) = score_batch(scorecard, name, [item], context=context)
    if isinstance(outcome, PlexusError):
        raise outcome
    return outcome


def score_batch(
    scorecard: Scorecard, name: str, items: Iterable[Item], *, context: Context = _NO_LIMITS
) -> list[Outcome]:
    """Score items with one score. Returns one outcome per item, in order: a Result, or the PlexusError in its place.

    Raises UnknownScore if there is no such score, and DeadlineExceeded if the deadline passes while dependencies are
    still being scored.
    """
    score = scorecard.find(name)
    return _run(scorecard, [name], items, context)[score.name]


def score_all(
    scorecard: Scorecard, items: Iterable[Item], *, names: Sequence[str] = (), context: Context = _NO_LIMITS
) -> dict[str, list[Outcome]]:
    """Score items with several scores: those in `names`, or every enabled score.

    Returns score name → one outcome per item, in order. Scores share their dependencies and run in parallel where
    they can. Raises as `score_batch` does.
    """
    selected = names or [score.name for score in scorecard.scores if not score.configuration.disabled]
    outcomes = _run(scorecard, selected, items, context)
    return {score.name: outcomes[score.name] for score in map(scorecard.find, selected)}


def _run(
    scorecard: Scorecard, names: Sequence[str], items: Iterable[Item], context: Context
) -> dict[str, list[Outcome]]:
    from dataclasses import replace

    from plexus import scheduler

    if context.folder is None and scorecard.folder is not None:
        context = replace(context, folder=scorecard.folder)
    return scheduler.run(scorecard, [scorecard.find(name) for name in names], list(items), context)
