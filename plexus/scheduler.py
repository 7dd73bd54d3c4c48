"""Run scores and their dependencies: each once, as soon as its dependencies are done, for all items together."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from plexus import conditions, limits
from plexus.conditions import SKIPPED
from plexus.context import Context
from plexus.exceptions import (
    FAILS_AGAIN,
    DeadlineExceeded,
    DisabledScore,
    ItemWithoutText,
    NotApplicable,
    PlexusError,
    ScoringFailed,
)
from plexus.scorecard import Score, Scorecard
from plexus.scores.scorer import Request
from plexus.text import fold
from plexus.threads import DaemonExecutor
from plexus.values import Item, Outcome, Result


def plan(scorecard: Scorecard, scores: Sequence[Score]) -> dict[str, Score]:
    """Return the scores and, transitively, their dependencies, by name."""
    planned: dict[str, Score] = {}
    pending = list(scores)
    while pending:
        score = pending.pop()
        if score.name not in planned:
            planned[score.name] = score
            pending += [scorecard.find(name) for name in score.depends_on]
    return planned


def run(
    scorecard: Scorecard, scores: Sequence[Score], items: Sequence[Item], context: Context
) -> dict[str, list[Outcome]]:
    """Score all items with these scores and their dependencies.

    Returns score name → one outcome per item, in the items' order. Scores that do not depend on each other run in
    parallel, in up to `context.workers` threads. An item's failure becomes its outcome; raises DeadlineExceeded only
    if the context's deadline passes while scores are still running.
    """
    planned = plan(scorecard, scores)
    order = graphlib.TopologicalSorter({name: list(score.depends_on) for name, score in planned.items()})
    # checks.dependencies refuses cycles at load, so this cannot raise CycleError.
    order.prepare()
    outcomes: dict[str, list[Outcome]] = {}
    # The usual case of the worker: no pool, no bookkeeping.
    if len(planned) == 1:
        (only,) = planned.values()
        return {only.name: _score_items(scorecard, only, items, outcomes, context)}
    _Run(scorecard, planned, items, context, outcomes).score_all(order)
    return outcomes


def run_with_results(
    scorecard: Scorecard, score: Score, item: Item, results: Mapping[str, str], context: Context
) -> Outcome:
    """Score one item, taking its dependencies' values from `results` instead of scoring them.

    The value `skipped` stands for a dependency that did not apply. Returns a ScoringFailed that lists the dependencies
    `results` does not cover.
    """
    known: dict[str, list[Outcome]] = {
        name: [NotApplicable(f"{name!r} is skipped by the test") if fold(value) == SKIPPED else Result(value)]
        for name, value in results.items()
    }
    missing = [name for name in score.depends_on if name not in known]
    if missing:
        return ScoringFailed(f"no value for the dependencies {', '.join(map(repr, missing))}")
    return _score_items(scorecard, score, [item], known, context)[0]


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

    def score_all(self, order: graphlib.TopologicalSorter[str]) -> None:
        pool = DaemonExecutor(self.context.workers, "plexus")
        running: dict[Future[list[Outcome]], str] = {}
        try:
            while order.is_active():
                ready = list(order.get_ready())
                if len(ready) == 1 and not running:
                    # Nothing else can run meanwhile: this thread does the work, without the cost of another.
                    self.outcomes[ready[0]] = self._score(ready[0])
                    order.done(ready[0])
                    continue
                running |= {pool.submit(self._score, name): name for name in ready}
                for future in self._wait(running):
                    name = running.pop(future)
                    self.outcomes[name] = future.result()
                    order.done(name)
        finally:
            # At the deadline and after Ctrl-C the caller gets its error now; a call still running has its own timeout.
            pool.shutdown(wait=False, cancel_futures=True)

    def _score(self, name: str) -> list[Outcome]:
        return _score_items(self.scorecard, self.planned[name], self.items, self.outcomes, self.context)

    def _wait(self, running: Mapping[Future[list[Outcome]], str]) -> set[Future[list[Outcome]]]:
        done, _ = wait(running, timeout=self.context.remaining(), return_when=FIRST_COMPLETED)
        if not done:
            unfinished = ", ".join(sorted(running.values()))
            raise DeadlineExceeded(f"the deadline passed while these scores were running: {unfinished}")
        return done


def _score_items(
    scorecard: Scorecard, score: Score, items: Sequence[Item], known: Mapping[str, list[Outcome]], context: Context
) -> list[Outcome]:
    """Score every item that the score applies to; items that were refused keep their error."""
    with limits.apply_deadline(context.deadline):
        refused, requests = _split(scorecard, score, items, known)
        outcomes = _score_requests(scorecard, score, requests, context)
    # A short list would shift the outcomes of all later items without anyone noticing.
    if len(outcomes) != len(requests):
        raise RuntimeError(
            f"the scorer of {score.name!r} broke its contract: got {len(outcomes)} outcomes, expected {len(requests)}"
        )
    if (validation := score.configuration.validation) is not None:
        outcomes = [conditions.validate(outcome, score.name, validation) for outcome in outcomes]
    if not refused:
        return outcomes
    rest = iter(outcomes)
    return [refused[index] if index in refused else next(rest) for index in range(len(items))]


def _split(
    scorecard: Scorecard, score: Score, items: Sequence[Item], known: Mapping[str, list[Outcome]]
) -> tuple[dict[int, PlexusError], list[Request]]:
    """Return the errors of the items that cannot be scored, by index, and requests for the others, in order."""
    refused: dict[int, PlexusError] = {}
    requests: list[Request] = []
    process, needs = scorecard.process(score), score.depends_on
    # Decided once per batch: most scores have no dependencies, and a dict per item is measurable.
    is_free = not needs and not score.configuration.disabled
    for index, item in enumerate(items):
        try:
            results = {} if is_free else _resolve_dependencies(score, {name: known[name][index] for name in needs})
            _check_text(item)
            requests.append(Request(process(item), results))
        except PlexusError as error:
            refused[index] = error
    return refused, requests


def _check_text(item: Item) -> None:
    """Raise ItemWithoutText, or ScoringFailed for a lone surrogate, which no library here accepts."""
    text = item.text
    if not text or text.isspace():
        raise ItemWithoutText("the item has no text to score")
    # ASCII is recognized without encoding, which would be measurable for a long text.
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ScoringFailed(f"the text has half of a character (a lone surrogate) at {error.start + 1}") from None


def _score_requests(scorecard: Scorecard, score: Score, requests: list[Request], context: Context) -> list[Outcome]:
    if not requests:
        return []
    try:
        context.remaining()
        return scorecard.create_scorer(score, context).score(requests, context)
    except PlexusError as error:
        # The model or the cassette is missing, so every item fails for the same reason.
        return [error] * len(requests)


def _resolve_dependencies(score: Score, outcomes: Mapping[str, Outcome]) -> dict[str, Result]:
    """Return the results that the score may read; skipped dependencies have none.

    Raises DisabledScore, NotApplicable for a condition that is not met, or the failure of a dependency.
    """
    if score.configuration.disabled:
        raise DisabledScore(f"{score.name!r} is disabled")
    results: dict[str, Result] = {}
    for name, condition in score.depends_on.items():
        outcome = outcomes[name]
        if isinstance(outcome, PlexusError) and not isinstance(outcome, NotApplicable):
            raise _wrap_failure(score.name, name, outcome)
        value = outcome.value if isinstance(outcome, Result) else SKIPPED
        if condition is not None and not conditions.is_met(condition, value):
            text = conditions.describe(name, condition)
            raise NotApplicable(f"{score.name!r} does not apply: its condition {text} is not met")
        if isinstance(outcome, Result):
            results[name] = outcome
    return results


def _wrap_failure(score: str, dependency: str, outcome: PlexusError) -> PlexusError:
    """Wrap a dependency's failure; keep its type where the error policy depends on it.

    However long the chain of dependencies, the message names only its first and last score: messages are truncated
    where they are stored.
    """
    first, why = outcome.origin or (dependency, str(outcome))
    between = f" (through {dependency!r})" if outcome.origin is not None else ""
    message = f"{score!r} depends on {first!r}{between}, which failed: {why}"
    keeps_type = isinstance(outcome, (DisabledScore, ItemWithoutText, *FAILS_AGAIN))
    failure = type(outcome)(message) if keeps_type else ScoringFailed(message, transient=outcome.transient)
    failure.origin = (first, why)
    return failure
