"""Scores labelled texts, one verdict for each; nothing is left out and no failure becomes a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from plexus import scheduler
from plexus.evaluation.labels import Labelled, spelling
from plexus.exceptions import NotApplicable
from plexus.text import fold
from plexus.values import NO_USAGE, Item, Outcome, Result, Usage

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard

BATCH = 64
Step = Callable[[int], None]
_Part = tuple[Sequence[Labelled], Mapping[str, list[Outcome]], float]


@dataclass(frozen=True)
class Judged:
    """What came of one text: a value, or why there is none (`error`).

    `seconds` is its share of its batch's time; `cost` and `usage` count what the score depends on, too.
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

    @property
    def right(self) -> bool:
        """Whether the value is the label."""
        return self.value == self.label


def judge(
    scorecard: Scorecard,
    score: Score,
    texts: Sequence[Labelled],
    context: Context,
    *,
    declared: Sequence[str] = (),
    step: Step = lambda _: None,
) -> list[Judged]:
    """One verdict per text, in order; `step` is told how many more are done.

    Values are spelt as in `declared`, or as the labels are, where only case and spaces differ.

    Graphs take texts one by one, several at once where a provider is asked; all other scores take them in batches.
    """
    made: list[Judged] = []
    spelt = spelling([*declared, *(each.label for each in texts)])
    for part, found, seconds in _outcomes(scorecard, score, texts, context):
        for place, text in enumerate(part):
            one = {name: outcomes[place] for name, outcomes in found.items()}
            made.append(_judged(text, one[score.name], _spent(one.values()), seconds, spelt))
        step(len(part))
    return made


def asks_models(scorecard: Scorecard, score: Score) -> bool:
    """Whether the score, or one that it depends on, is a graph."""
    planned = scheduler.plan(scorecard, [score]).values()
    return any(each.configuration.class_name == "LangGraphScore" for each in planned)


def _outcomes(scorecard: Scorecard, score: Score, texts: Sequence[Labelled], context: Context) -> Iterator[_Part]:
    """Parts of the texts with the outcomes of the score and of all that it depends on, and the seconds for a text."""
    # Made here, for what is loaded once is no text's time.
    scorers = [scorecard.scorer(each, context) for each in scheduler.plan(scorecard, [score]).values()]
    size = 1 if asks_models(scorecard, score) else BATCH
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]

    def scored(part: Sequence[Labelled]) -> _Part:
        began = time.perf_counter()
        found = scheduler.run(scorecard, [score], [Item(each.text, each.metadata) for each in part], context)
        return part, found, (time.perf_counter() - began) / len(part)

    if not any(getattr(each, "live", False) for each in scorers):
        yield from map(scored, parts)  # nobody is waited for: several at once would only take each other's time
        return
    with ThreadPoolExecutor(max_workers=context.workers, thread_name_prefix="plexus-evaluate") as pool:
        try:
            yield from pool.map(scored, parts)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _spent(outcomes: Iterable[Outcome]) -> tuple[Decimal | None, Usage]:
    """What a text's score and all that it depends on took; no cost where none of them knows it."""
    results = [each for each in outcomes if isinstance(each, Result)]
    costs = [each.cost for each in results if each.cost is not None]
    return sum(costs, Decimal()) if costs else None, sum((each.usage for each in results), NO_USAGE)


def _judged(
    text: Labelled,
    outcome: Outcome,
    spent: tuple[Decimal | None, Usage],
    seconds: float,
    spelt: Mapping[str, str],
) -> Judged:
    cost, usage = spent
    known = Judged(text.row, text.text, text.label, seconds, cost=cost, usage=usage)
    if isinstance(outcome, Result):
        value = spelt.get(fold(outcome.value), outcome.value)
        return replace(known, value=value, confidence=outcome.confidence, explanation=outcome.explanation)
    error = f"{type(outcome).__name__}: {outcome}"
    return replace(known, error=error, skipped=isinstance(outcome, NotApplicable))
