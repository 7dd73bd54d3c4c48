"""Scores labelled texts, one verdict for each; nothing is left out and no failure becomes a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from plexus import scheduler
from plexus.evaluation.labels import Labelled, spelling
from plexus.exceptions import NotApplicable, PlexusError
from plexus.text import fold
from plexus.values import NO_USAGE, Item, Outcome, Result, Usage

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard

BATCH = 64
Step = Callable[[int], None]


@dataclass(frozen=True)
class Judged:
    """What came of one text: a value, or why there is none (`error`); `seconds` is its share of its batch's time."""

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

    Scores that ask language models take texts one by one, several at once; all others take them in batches.
    """
    made: list[Judged] = []
    spelt = spelling([*declared, *(each.label for each in texts)])
    for part, outcomes, seconds in _outcomes(scorecard, score, texts, context):
        made += [_judged(text, outcome, seconds, spelt) for text, outcome in zip(part, outcomes, strict=True)]
        step(len(part))
    return made


def asks_models(scorecard: Scorecard, score: Score) -> bool:
    """Whether the score, or one that it depends on, is a graph."""
    planned = scheduler.plan(scorecard, [score]).values()
    return any(each.configuration.class_name == "LangGraphScore" for each in planned)


def _outcomes(
    scorecard: Scorecard, score: Score, texts: Sequence[Labelled], context: Context
) -> Iterator[tuple[Sequence[Labelled], list[Outcome], float]]:
    for each in scheduler.plan(scorecard, [score]).values():
        scorecard.scorer(each, context)  # what is loaded once is no text's time
    size = 1 if asks_models(scorecard, score) else BATCH
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]

    def scored(part: Sequence[Labelled]) -> tuple[Sequence[Labelled], list[Outcome], float]:
        began = time.perf_counter()
        items = [Item(each.text) for each in part]
        found = scheduler.run(scorecard, [score], items, context)[score.name]
        return part, found, (time.perf_counter() - began) / len(part)

    if size > 1:
        yield from map(scored, parts)
        return
    with ThreadPoolExecutor(max_workers=context.workers, thread_name_prefix="plexus-evaluate") as pool:
        try:
            yield from pool.map(scored, parts)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _judged(text: Labelled, outcome: Outcome, seconds: float, spelt: Mapping[str, str]) -> Judged:
    if isinstance(outcome, Result):
        return Judged(
            text.row,
            text.text,
            text.label,
            seconds,
            spelt.get(fold(outcome.value), outcome.value),
            outcome.confidence,
            outcome.explanation,
            outcome.cost,
            outcome.usage,
        )
    return Judged(text.row, text.text, text.label, seconds, error=_told(outcome), skipped=_skipped(outcome))


def _told(error: PlexusError) -> str:
    return f"{type(error).__name__}: {error}"


def _skipped(error: PlexusError) -> bool:
    return isinstance(error, NotApplicable)
