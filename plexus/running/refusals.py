"""Stop a run whose provider refuses every request: a refused key, an exhausted quota, an unknown model, no network.

Each further row would only fail in the same way, and would have to be scored again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from plexus.exceptions import PlexusError, ScoringFailed
from plexus.threads import DaemonExecutor
from plexus.values import Outcome, Result

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.graph.provider_errors import ProviderError
    from plexus.scorecard import Score, Scorecard

#: As many failures of one score in a row stop a run where a single one proves nothing.
IN_A_ROW = 16
# 404 is an unknown model or deployment. 403 is not here: gateways answer it to single texts that they filter.
_REFUSED_STATUS = frozenset((401, 402, 404))
_REFUSED_CODES = re.compile(
    r"(?i)quota|billing|payment|credit|balance|deactivated|terminated|authenticat|unauthori[sz]ed|api_?key|permission|"
    r"access_?denied|expired_?token|unrecognized_?client|invalid_?signature|unsupported_country|"
    r"(?:model|deployment|resource)_?not_?found|invalid_?model"
)
_REFUSED_KINDS = re.compile("Authentication|Credential|Token")
_UNKNOWN_MODEL = re.compile("(?i)model identifier is invalid")  # Bedrock's, with the code of any invalid request

Row = TypeVar("Row")


class RunRefused(ScoringFailed, Generic[Row]):
    """Raised when no further row can succeed; `rows` are the results of the rows before, in order."""

    def __init__(self, message: str, rows: Sequence[Row] = ()) -> None:
        super().__init__(message, transient=True)
        self.rows = list(rows)


class Refusals:
    """Watches the outcomes of a run; `reason` is set once no further row can succeed. Thread-safe."""

    def __init__(self) -> None:
        self.reason = ""
        self._lock = Lock()
        self._answered: set[str] = set()
        self._in_a_row: Counter[str] = Counter()

    def add(self, row: int, outcomes: Mapping[str, Outcome]) -> bool:
        """Count a row's outcomes, dependencies included; return whether one of them shows that the run must stop."""
        with self._lock:
            stops = [self._add(row, name, outcome) for name, outcome in outcomes.items()]
        return any(stops)

    def _add(self, row: int, name: str, outcome: Outcome) -> bool:
        if isinstance(outcome, Result):
            self._answered.add(name)
            del self._in_a_row[name]
            return False
        limit, remedy = self._judge(name, outcome)
        self._in_a_row[name] += limit is not None
        if limit is None or self._in_a_row[name] < limit:
            return False
        self.reason = self.reason or f"row {row}, {name}: {outcome}{remedy}"
        return True

    def _judge(self, name: str, outcome: PlexusError) -> tuple[int | None, str]:
        """Return how many such failures in a row stop the run, None if another row may succeed; and a remedy."""
        cause = outcome.__cause__
        if not isinstance(outcome, ScoringFailed) or cause is None:
            return None, ""
        from plexus.graph import model_call, provider_errors

        problem = provider_errors.read_error(cause)
        if is_refused(problem) or _UNKNOWN_MODEL.search(str(cause)):
            return 1, ""
        if (problem.retry_after or 0) > model_call.LONGEST_PAUSE_S:
            return 1, ""  # a daily limit, for example: a call that would have to wait so long fails at once
        if "Connect" in problem.kind and "Timeout" not in problem.kind:
            # A wrong address or no network at the start; later, a network that is away for a moment.
            return IN_A_ROW if name in self._answered else 1, ". next: check the network and `base_url`"
        return IN_A_ROW if problem.status == 403 else None, ""


def is_refused(problem: ProviderError) -> bool:
    """Return whether a provider would refuse a request with any other text, too."""
    if problem.is_transient:
        return False
    refused = problem.status in _REFUSED_STATUS or _REFUSED_CODES.search(problem.code)
    return bool(refused or _REFUSED_KINDS.search(problem.kind))


def is_live(scorecard: Scorecard, scores: Iterable[Score], context: Context) -> bool:
    """Return whether one of the scores calls a provider. Creates their scorers, and raises as that does."""
    return any(
        getattr(scorecard.create_scorer(score, context), "live", False)
        for score in scores
        if not score.configuration.disabled
    )


Part = TypeVar("Part")


def score_concurrently(
    score: Callable[[Part], tuple[Row, int, Mapping[str, Outcome]]],
    parts: Iterable[Part],
    context: Context,
    refusals: Refusals,
) -> Iterator[Row]:
    """Yield a result for each part, in order; up to `context.workers` are scored at the same time.

    `score` returns the result, the number of its row and the outcomes of its scores. Raises RunRefused, without rows,
    in place of the first result that was refused, or was not begun because of a refusal.
    """

    def score_next(part: Part) -> list[Row]:
        if refusals.reason:
            return []
        scored, row, outcomes = score(part)
        return [] if refusals.add(row, outcomes) else [scored]

    with DaemonExecutor(context.workers, "plexus-rows") as pool:
        for (scored,) in takewhile(bool, pool.map(score_next, parts)):
            yield scored
    if refusals.reason:
        raise RunRefused(f"no further row can be scored: {refusals.reason}")
