"""Runs a score and all that it depends on: each once, as soon as it can, for one item or a batch of them."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from plexus import conditions
from plexus.context import Context
from plexus.exceptions import (
    DeadlineExceeded,
    DisabledScore,
    ItemWithoutText,
    NotApplicable,
    PlexusError,
    ScoringFailed,
)
from plexus.scorecard import Score, Scorecard
from plexus.scores.base import Request
from plexus.text import fold
from plexus.validation import validated
from plexus.values import Item, Outcome, Result

#: What a condition sees as the value of a dependency that was skipped.
SKIPPED = "skipped"


def plan(scorecard: Scorecard, wanted: Sequence[Score]) -> dict[str, Score]:
    """The wanted scores and, transitively, all that they depend on, by name."""
    found: dict[str, Score] = {}
    open_ = list(wanted)
    while open_:
        score = open_.pop()
        if score.name not in found:
            found[score.name] = score
            open_ += [scorecard.find(name) for name in score.depends_on]
    return found


def run(
    scorecard: Scorecard, wanted: Sequence[Score], items: Sequence[Item], context: Context
) -> dict[str, list[Outcome]]:
    """Score name → one outcome per item, for the wanted scores and their dependencies."""
    planned = plan(scorecard, wanted)
    order = graphlib.TopologicalSorter({name: list(score.depends_on) for name, score in planned.items()})
    order.prepare()
    outcomes: dict[str, list[Outcome]] = {}
    if len(planned) == 1:
        (only,) = planned.values()
        return {only.name: _one(scorecard, only, items, outcomes, context)}
    _Run(scorecard, planned, items, context, outcomes).all(order)
    return outcomes


def alone(scorecard: Scorecard, score: Score, item: Item, results: Mapping[str, str], context: Context) -> Outcome:
    """One score of one item, with values in place of its dependencies' scoring; `skipped` is a value too."""
    known: dict[str, list[Outcome]] = {
        name: [NotApplicable(f"{name!r} is given as skipped") if fold(value) == SKIPPED else Result(value)]
        for name, value in results.items()
    }
    missing = [name for name in score.depends_on if name not in known]
    if missing:
        return ScoringFailed(f"no value is given for {', '.join(map(repr, missing))}")
    return _one(scorecard, score, [item], known, context)[0]


class _Run:
    """One pass over a plan, with a thread for each score that is ready while another runs."""

    def __init__(
        self,
        scorecard: Scorecard,
        planned: Mapping[str, Score],
        items: Sequence[Item],
        context: Context,
        outcomes: dict[str, list[Outcome]],
    ) -> None:
        self.scorecard, self.planned, self.items = scorecard, planned, items
        self.context, self.outcomes = context, outcomes

    def all(self, order: graphlib.TopologicalSorter[str]) -> None:
        pool = ThreadPoolExecutor(max_workers=self.context.workers, thread_name_prefix="plexus")
        running: dict[Future[list[Outcome]], str] = {}
        try:
            while order.is_active():
                ready = list(order.get_ready())
                if len(ready) == 1 and not running:
                    self.outcomes[ready[0]] = self._score(ready[0])
                    order.done(ready[0])
                    continue
                running |= {pool.submit(self._score, name): name for name in ready}
                for future in self._finished(running):
                    name = running.pop(future)
                    self.outcomes[name] = future.result()
                    order.done(name)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _score(self, name: str) -> list[Outcome]:
        return _one(self.scorecard, self.planned[name], self.items, self.outcomes, self.context)

    def _finished(self, running: Mapping[Future[list[Outcome]], str]) -> set[Future[list[Outcome]]]:
        done, _ = wait(running, timeout=self.context.remaining(), return_when=FIRST_COMPLETED)
        if not done:
            late = ", ".join(sorted(running.values()))
            raise DeadlineExceeded(f"the deadline passed while these were being scored: {late}")
        return done


def _one(
    scorecard: Scorecard, score: Score, items: Sequence[Item], known: Mapping[str, list[Outcome]], context: Context
) -> list[Outcome]:
    """One score for all items; items that it cannot have or does not need are not given to its scorer."""
    refused, requests = _requests(scorecard, score, items, known)
    outcomes = _scored(scorecard, score, requests, context)
    if len(outcomes) != len(requests):
        raise RuntimeError(f"the scorer of {score.name!r} gave {len(outcomes)} outcomes for {len(requests)} items")
    if (validation := score.configuration.validation) is not None:
        outcomes = [validated(outcome, score.name, validation) for outcome in outcomes]
    if not refused:
        return outcomes
    rest = iter(outcomes)
    return [refused[place] if place in refused else next(rest) for place in range(len(items))]


def _requests(
    scorecard: Scorecard, score: Score, items: Sequence[Item], known: Mapping[str, list[Outcome]]
) -> tuple[dict[int, PlexusError], list[Request]]:
    """What keeps items from being scored, by their places; and what the scorer is asked about the others."""
    refused: dict[int, PlexusError] = {}
    requests: list[Request] = []
    process, needs = scorecard.process(score), score.depends_on
    free = not needs and not score.configuration.disabled
    for place, item in enumerate(items):
        try:
            results = {} if free else _dependencies(score, {name: known[name][place] for name in needs})
            _scorable(item)
            requests.append(Request(process(item), results))
        except PlexusError as error:
            refused[place] = error
    return refused, requests


def _scorable(item: Item) -> None:
    """Raises ItemWithoutText, or ScoringFailed for what is no text: half of a character, which no library takes."""
    text = item.text
    if not text or text.isspace():
        raise ItemWithoutText("the item has no text to score")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ScoringFailed(f"the text has half of a character (a lone surrogate) at {error.start + 1}") from None


def _scored(scorecard: Scorecard, score: Score, requests: list[Request], context: Context) -> list[Outcome]:
    if not requests:
        return []
    try:
        context.remaining()
        return scorecard.scorer(score, context).score(requests, context)
    except PlexusError as error:
        return [error] * len(requests)


def _dependencies(score: Score, outcomes: Mapping[str, Outcome]) -> dict[str, Result]:
    """The results that the score sees. Raises what keeps it from being scored."""
    if score.configuration.disabled:
        raise DisabledScore(f"{score.name!r} is disabled")
    results: dict[str, Result] = {}
    for name, condition in score.depends_on.items():
        outcome = outcomes[name]
        if isinstance(outcome, PlexusError) and not isinstance(outcome, NotApplicable):
            raise _failed(score.name, name, outcome)
        value = outcome.value if isinstance(outcome, Result) else SKIPPED
        if condition is not None and not conditions.holds(condition, value):
            wanted = conditions.described(name, condition)
            raise NotApplicable(f"{score.name!r} does not apply: it needs {wanted}, which does not hold")
        if isinstance(outcome, Result):
            results[name] = outcome
    return results


def _failed(score: str, dependency: str, outcome: PlexusError) -> PlexusError:
    """The dependency's failure as that of the score; its kind stays where its kind decides the job's fate.

    However long the chain, the message says the first and the last of it: reasons are cut where they are stored.
    """
    first, why = outcome.origin or (dependency, str(outcome))
    between = f" (through {dependency!r})" if outcome.origin is not None else ""
    message = f"{score!r} depends on {first!r}{between}, which failed: {why}"
    kept = isinstance(outcome, (DisabledScore, ItemWithoutText))
    made = type(outcome)(message) if kept else ScoringFailed(message, transient=outcome.transient)
    made.origin = (first, why)
    return made
