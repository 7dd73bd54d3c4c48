"""Scores labelled texts, one verdict for each; nothing is left out and no failure becomes a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from plexus import scheduler
from plexus.exceptions import InvalidData, NotApplicable, PlexusError
from plexus.problems import nearest
from plexus.text import fold
from plexus.values import NO_USAGE, Item, Outcome, Result, Usage

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Score, Scorecard

BATCH = 64
Step = Callable[[int], None]


@dataclass(frozen=True)
class Labelled:
    """A text with the value that a person gave it; `row` is its number in the file, from 1."""

    row: int
    text: str
    label: str


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


def declared(scorecard: Scorecard, score: Score, context: Context) -> tuple[str, ...]:
    """Every value that the score can give, where its configuration or its model says so; else empty."""
    configuration = score.configuration
    rule = configuration.validation.value if configuration.validation else None
    if rule is not None and rule.valid_classes:
        return tuple(rule.valid_classes)
    values = getattr(configuration, "values", None)
    if values:
        return tuple(dict.fromkeys(values))
    if hasattr(configuration, "artifact"):
        model = getattr(scorecard.scorer(score, context), "model", None)
        least = (configuration.uncertain,) if configuration.minimum_confidence is not None else ()
        return (*getattr(model, "classes", ()), *least)
    return ()


def normal(texts: Sequence[Labelled], values: Sequence[str], name: str) -> list[Labelled]:
    """The texts with each label spelt as the score spells it (case and spaces folded).

    Raises InvalidData that names every label that the score cannot give.
    """
    if not values:
        return list(texts)
    spelt = {fold(value): value for value in values}
    unknown: dict[str, list[int]] = {}
    for each in texts:
        if fold(each.label) not in spelt:
            unknown.setdefault(each.label, []).append(each.row)
    if unknown:
        told = "".join(
            f"\n  {label!r}: {len(rows)} row{'s' * (len(rows) > 1)}, first in row {rows[0]}{nearest(label, values)}"
            for label, rows in sorted(unknown.items())
        )
        known = ", ".join(repr(value) for value in values)
        raise InvalidData(
            f"labels that {name!r} can never give:{told}\n  it gives {known}; correct the labels or leave the rows out"
        )
    return [Labelled(each.row, each.text, spelt[fold(each.label)]) for each in texts]


def judge(
    scorecard: Scorecard, score: Score, texts: Sequence[Labelled], context: Context, step: Step = lambda _: None
) -> list[Judged]:
    """One verdict per text, in order; `step` is told how many more are done.

    Scores that ask language models take texts one by one, several at once; all others take them in batches.
    """
    made: list[Judged] = []
    for part, outcomes, seconds in _outcomes(scorecard, score, texts, context):
        made += [_judged(text, outcome, seconds) for text, outcome in zip(part, outcomes, strict=True)]
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


def _judged(text: Labelled, outcome: Outcome, seconds: float) -> Judged:
    if isinstance(outcome, Result):
        return Judged(
            text.row,
            text.text,
            text.label,
            seconds,
            outcome.value,
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
