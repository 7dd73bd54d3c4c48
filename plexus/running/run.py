"""Score rows in chunks; each chunk is stored before the next one is scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, NotRequired, TypedDict

import plexus
from plexus.exceptions import BudgetExceeded, NotApplicable, PlexusError, ScoringFailed
from plexus.problems import pluralize
from plexus.running.refusals import Refusals, RunRefused, is_live, score_concurrently
from plexus.running.texts import TextRow
from plexus.values import sum_spent

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.scorecard import Scorecard
    from plexus.values import Outcome

CHUNK = 256
MAXIMUM_ERRORS = 5
_LISTED_ROWS = 3

#: A result or an error as JSON values: what `as_dict` returns.
OutcomeFields = dict[str, object]


class RunInterrupted(KeyboardInterrupt):
    """Raised in place of Ctrl-C while rows are scored; `rows` are those that are finished, in the order of rows."""

    def __init__(self, rows: Sequence[ScoredRow]) -> None:
        super().__init__()
        self.rows = list(rows)


class ScoredRow(TypedDict):
    """A row of results: its number (from 1), its id (empty without an id column), and an outcome for each score.

    `columns` are those of the table that was scored, if they are kept.
    """

    row: int
    id: str
    results: dict[str, OutcomeFields]
    columns: NotRequired[dict[str, object]]


@dataclass
class Tally:
    """Counts of scored rows: failures and skips by score, the first errors, and what models cost (US dollars).

    `errors` has the first different ones, by score and message, each with its first rows; `repeated` counts all rows.
    """

    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    errors: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    repeated: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0
    cost: Decimal = Decimal()

    def count(self, row: ScoredRow) -> None:
        """Add a scored row and what it cost."""
        self.count_cost(row)
        self.count_outcomes(row)

    def count_outcomes(self, row: ScoredRow) -> None:
        """Add a scored row, but not what it cost."""
        self.rows += 1
        for score, outcome in row["results"].items():
            if outcome.get("error") == NotApplicable.__name__:
                self.skipped[score] += 1
            elif "error" in outcome:
                self.failed[score] += 1
                self._keep_error((score, f"{outcome['error']}: {outcome['message']}"), row["row"])

    def count_cost(self, row: ScoredRow) -> None:
        """Add what a row cost, but not the row."""
        for outcome in row["results"].values():
            self._spend(outcome)

    def _keep_error(self, error: tuple[str, str], row: int) -> None:
        if error not in self.errors and len(self.errors) == MAXIMUM_ERRORS:
            return
        self.repeated[error] += 1
        rows = self.errors.setdefault(error, [])
        if len(rows) < _LISTED_ROWS:
            rows.append(row)

    def format_errors(self) -> list[str]:
        """Return a line for each of the first different errors: `rows 3, 4, 9, … (40), Topic: …`."""
        lines = []
        for (score, message), rows in self.errors.items():
            count = self.repeated[score, message]
            more = f", … ({count})" if count > len(rows) else ""
            lines.append(f"row{'s' * (count > 1)} {', '.join(map(str, rows))}{more}, {score}: {message}")
        return lines

    def describe_calls(self, *, replayed: bool) -> str:
        """Return the calls of models, their tokens and what they cost, for people; empty without any.

        `replayed` calls are answered by cassettes: their cost is what the provider would charge.
        """
        if not self.calls:
            return ""
        kind = "replayed model call" if replayed else "model call"
        tokens = f"{self.input_tokens} input and {self.output_tokens} output tokens"
        cost = f"nothing paid (list price {self.cost} USD)" if replayed and self.cost else f"{self.cost} USD"
        unpriced = f", plus {pluralize(self.unpriced, 'result')} of unknown price" if self.unpriced else ""
        return f"; {pluralize(self.calls, kind)}, {tokens}, {cost}{unpriced}"

    def _spend(self, outcome: OutcomeFields) -> None:
        usage, cost = outcome.get("usage"), outcome.get("cost")
        if not isinstance(usage, Mapping):  # an error before any call
            return
        self.calls += usage["calls"]
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage["output_tokens"]
        self.unpriced += bool(usage["calls"]) and cost is None
        self.cost += Decimal(str(cost or 0))


def describe_run(scorecard: Scorecard, names: Sequence[str]) -> dict[str, object]:
    """Return the inputs that decide a run's values besides its texts: scores, dependencies and the engine's version.

    Dependencies are sorted by name, `names` keep their order.
    """
    from plexus import scheduler

    planned = scheduler.plan(scorecard, [scorecard.find(name) for name in names])
    hashes = {name: planned[name].configuration_hash for name in sorted(planned)}
    return {"scorecard": hashes, "scores": list(names), "engine": plexus.ENGINE_VERSION}


def create_scorers(scorecard: Scorecard, names: Sequence[str], context: Context) -> None:
    """Create the scorers of a run before its first row, so that a key, model, artifact or cassette is missed once.

    Raises ScoringFailed that lists the scores that cannot run, with the reasons; equal reasons are listed once.
    """
    from plexus import scheduler

    if context.folder is None:
        context = replace(context, folder=scorecard.folder)
    reasons: dict[str, list[str]] = {}
    for score in scheduler.plan(scorecard, [scorecard.find(name) for name in names]).values():
        try:
            if not score.configuration.disabled:
                scorecard.create_scorer(score, context)
        except PlexusError as error:
            reasons.setdefault(str(error), []).append(score.name)
    if reasons:
        listed = "".join(f"\n  {', '.join(scores)}: {reason}" for reason, scores in reasons.items())
        raise ScoringFailed(f"no row was scored, because scores cannot run:{listed}")


def score_rows(
    scorecard: Scorecard, names: Sequence[str], rows: Iterable[TextRow], context: Context, size: int = CHUNK
) -> Iterator[list[ScoredRow]]:
    """Yield scored rows in chunks of `size`, in the order of `rows`; memory holds one chunk.

    Raises RunRefused and RunInterrupted as `score_chunk` does, with the rows of the last chunk only.
    """
    iterator, refusals = iter(rows), Refusals()
    while chunk := list(islice(iterator, size)):
        yield score_chunk(scorecard, names, chunk, context, refusals)


def score_chunk(
    scorecard: Scorecard, names: Sequence[str], chunk: Sequence[TextRow], context: Context, refusals: Refusals
) -> list[ScoredRow]:
    """Score rows together, or concurrently if a provider is called, and return them in their order.

    Raises RunRefused, with the rows before, once the provider refuses every request. On Ctrl-C raises RunInterrupted,
    with the rows that are scored; KeyboardInterrupt if no provider is called.
    """
    from plexus import scheduler

    context = context if context.folder is not None else replace(context, folder=scorecard.folder)
    scores = [scorecard.find(name) for name in names]

    def score(rows: Sequence[TextRow]) -> tuple[list[ScoredRow], dict[str, list[Outcome]]]:
        outcomes = scheduler.run(scorecard, scores, [row.item for row in rows], context)
        return [_create_row(row, {name: outcomes[name][at] for name in names}) for at, row in enumerate(rows)], outcomes

    finished: list[ScoredRow] = []

    def score_alone(row: TextRow) -> tuple[ScoredRow, int, dict[str, Outcome]]:
        (scored,), outcomes = score([row])
        finished.append(scored)
        return scored, row.number, {name: listed[0] for name, listed in outcomes.items()}

    if not is_live(scorecard, scheduler.plan(scorecard, scores).values(), context):
        return score(chunk)[0]
    scored: list[ScoredRow] = []
    try:
        scored.extend(score_concurrently(score_alone, chunk, context, refusals))
    except RunRefused as error:
        raise RunRefused(str(error), scored) from None
    except KeyboardInterrupt:
        # A row that was refused is scored again, and only those in `scored` are known not to be.
        rows = scored if refusals.reason else finished.copy()
        raise RunInterrupted(sorted(rows, key=lambda row: row["row"])) from None
    return scored


def keep_finished(chunks: Iterable[list[ScoredRow]]) -> Iterator[list[ScoredRow]]:
    """Yield the chunks, and the rows before a refusal or Ctrl-C as the last one, after which the error is raised.

    A consumer that stores each chunk thus loses nothing that was paid for.
    """
    try:
        yield from chunks
    except (RunRefused, RunInterrupted) as error:
        yield error.rows
        raise


def _create_row(row: TextRow, outcomes: Mapping[str, Outcome]) -> ScoredRow:
    return ScoredRow(row=row.number, id=row.id, results={name: as_dict(each) for name, each in outcomes.items()})


def has_failed(row: ScoredRow) -> bool:
    """Return whether a score of the row failed; one that does not apply did not."""
    return any(
        outcome.get("error", NotApplicable.__name__) != NotApplicable.__name__ for outcome in row["results"].values()
    )


def as_dict(outcome: Outcome) -> OutcomeFields:
    """Return a result's fields, or an error's kind, its message and what the calls before it cost, as JSON values.

    An error has a trace if the context keeps exchanges.
    """
    if isinstance(outcome, Exception):
        error: OutcomeFields = {"error": type(outcome).__name__, "message": str(outcome)}
        if outcome.trace is not None:
            error["trace"] = outcome.trace
        usage, cost = sum_spent(outcome)
        spent = {"usage": usage.as_dict(), "cost": None if cost is None else str(cost)}
        return error | spent if usage.calls else error
    return dict(outcome.as_dict())


def keep_all(
    chunks: Iterable[list[ScoredRow]],
    keep: Callable[[list[ScoredRow]], None],
    on_rows: Callable[[int], object],
    spent: Tally | None = None,
    budget: Decimal | None = None,
) -> None:
    """Keep each chunk before the next one is scored, and report how many rows it has.

    Raises BudgetExceeded before the chunk after the one that spent the budget, in US dollars: `spent` holds what rows
    before these have cost. A cost that is unknown cannot be kept within a budget either. Raises RunRefused after the
    last rows before a refusal.
    """
    spent = spent or Tally()
    check_budget(spent, budget)
    for chunk in keep_finished(chunks):
        keep(chunk)
        on_rows(len(chunk))
        for row in chunk:
            spent.count_cost(row)
        check_budget(spent, budget)


def check_budget(spent: Tally, budget: Decimal | None) -> None:
    """Raise BudgetExceeded if the budget, in US dollars, is spent, or what was spent is unknown.

    The caller decides how often: what is spent between two calls may exceed the budget.
    """
    if budget is None:
        return
    if spent.unpriced:
        raise BudgetExceeded(f"the cost of {pluralize(spent.unpriced, 'result')} is unknown, so no budget can be kept")
    if spent.cost >= budget:
        raise BudgetExceeded(f"spent {spent.cost} of {budget} USD")
