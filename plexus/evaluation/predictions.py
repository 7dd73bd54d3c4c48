"""Score labelled texts: one prediction for each; a failure never becomes a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from plexus import scheduler
from plexus.exceptions import NotApplicable
from plexus.running.refusals import Refusals, is_live, score_concurrently
from plexus.tables.labels import Labelled, fold_label, map_spellings
from plexus.usage import NO_USAGE, Usage
from plexus.values import Outcome, Result, sum_spent

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard

BATCH = 64
Step = Callable[[int], None]
_ScoredPart = tuple[Sequence[Labelled], Mapping[str, list[Outcome]], float]


@dataclass(frozen=True)
class Prediction:
    """The value of a text, or why it has none (`error`); `abstained` if the value is that of a score in doubt.

    `seconds` is its share of its batch's time; `cost` (US dollars) and `usage` include the score's dependencies.
    """

    row: int
    text: str
    label: str
    seconds: float
    value: str | None = None
    confidence: float | None = None
    explanation: str | None = None
    cost: Decimal | None = None
    usage: Usage = NO_USAGE
    error: str | None = None
    skipped: bool = False
    abstained: bool = False

    @property
    def right(self) -> bool:
        """Whether the value equals the label."""
        return self.value == self.label

    @property
    def verdict(self) -> str:
        """Return right, wrong or abstained, or skipped or failed without a value."""
        if self.abstained:
            return "abstained"
        if self.value is not None:
            return "right" if self.right else "wrong"
        return "skipped" if self.skipped else "failed"


def predict(
    scorecard: Scorecard,
    score: Score,
    texts: Sequence[Labelled],
    context: Context,
    *,
    declared: Sequence[str] = (),
    step: Step = lambda _: None,
) -> list[Prediction]:
    """Return one prediction per text, in order; `step` is called with the number of texts that were finished.

    A value that differs from one of `declared`, or else from a label, in case and white space only is spelt like it.
    Graphs score texts one at a time, concurrently if a provider is called; other scores take batches of 64. Raises
    RunRefused once the provider refuses every request.
    """
    predictions: list[Prediction] = []
    spelt = map_spellings([*declared, *(each.label for each in texts)])
    for part, by_name, seconds in _score_parts(scorecard, score, texts, context):
        for place, text in enumerate(part):
            outcome = {name: outcomes[place] for name, outcomes in by_name.items()}
            predictions.append(
                _create_prediction(text, outcome[score.name], _sum_spending(outcome.values()), seconds, spelt)
            )
        step(len(part))
    return predictions


def asks_models(scorecard: Scorecard, score: Score) -> bool:
    """Return whether the score or one of its dependencies is a graph."""
    planned = scheduler.plan(scorecard, [score]).values()
    return any(each.configuration.class_name == "LangGraphScore" for each in planned)


def _score_parts(
    scorecard: Scorecard, score: Score, texts: Sequence[Labelled], context: Context
) -> Iterator[_ScoredPart]:
    """Yield batches with the outcomes of the score and its dependencies, and the seconds per text."""
    # Created before the clock starts: loading a model is not part of any text's time.
    planned = scheduler.plan(scorecard, [score]).values()
    for dependency in planned:
        scorecard.create_scorer(dependency, context)
    size = 1 if asks_models(scorecard, score) else BATCH
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]

    def score_part(part: Sequence[Labelled]) -> tuple[_ScoredPart, int, dict[str, Outcome]]:
        began = time.perf_counter()
        outcomes = scheduler.run(scorecard, [score], [each.item for each in part], context)
        scored = part, outcomes, (time.perf_counter() - began) / len(part)
        return scored, part[0].row, {name: listed[0] for name, listed in outcomes.items()}

    if is_live(scorecard, planned, context):
        yield from score_concurrently(score_part, parts, context, Refusals())
        return
    for part in parts:  # no provider is waited for: threads would only compete for the processor
        yield score_part(part)[0]


def _sum_spending(outcomes: Iterable[Outcome]) -> tuple[Decimal | None, Usage]:
    """Return the cost and usage of a text's outcomes; the cost is None without calls, or if one of them is unknown."""
    spent = [sum_spent(each) for each in outcomes]
    costs = [cost for usage, cost in spent if usage.calls]
    known = [cost for cost in costs if cost is not None]
    cost = sum(known, Decimal()) if known and len(known) == len(costs) else None
    return cost, sum((usage for usage, _ in spent), NO_USAGE)


def _create_prediction(
    text: Labelled,
    outcome: Outcome,
    spent: tuple[Decimal | None, Usage],
    seconds: float,
    spelt: Mapping[str, str],
) -> Prediction:
    cost, usage = spent
    known = Prediction(text.row, text.item.text or "", text.label, seconds, cost=cost, usage=usage)
    if isinstance(outcome, Result):
        value = spelt.get(fold_label(outcome.value), outcome.value)
        return replace(known, value=value, confidence=outcome.confidence, explanation=outcome.explanation)
    error = f"{type(outcome).__name__}: {outcome}"
    return replace(known, error=error, skipped=isinstance(outcome, NotApplicable))
