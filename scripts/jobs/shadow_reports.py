"""Reports of shadow runs: figures without values and texts, kept in the table of the ledger for the dashboard.

A report's key is the function's name with `#shadow`, and the time: the history of deploys does not read it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..aws import ledger
from ..aws.clients import Aws
from ..console.errors import OperationFailed
from ..console.percentile import compute_percentile

if TYPE_CHECKING:
    from plexus.comparison.differences import Agreement

FORMAT = 1


@dataclass(frozen=True)
class ScoreFigures:
    """How one score agrees. Costs are US dollars of the jobs whose cost is known; their numbers are beside them."""

    score: str
    compared: int
    same: int
    interval: tuple[float, float] | None
    kinds: dict[str, int]
    stored_cost: float
    stored_known: int
    cost: float
    known: int

    @property
    def share(self) -> float:
        """The share of compared jobs with the same value; 0 if none was compared."""
        return self.same / self.compared if self.compared else 0.0


@dataclass(frozen=True)
class Durations:
    """Seconds of jobs: how many are known, and their percentiles."""

    count: int
    p50: float
    p95: float
    most: float


@dataclass(frozen=True)
class ShadowReport:
    """One shadow run. `stored` are the stored results' jobs, `function` the invocations that scored them again."""

    at: str
    who: str
    version: str
    least: float
    scores: tuple[ScoreFigures, ...]
    stored: Durations | None
    function: Durations | None


def measure(seconds: Sequence[float]) -> Durations | None:
    """Return the percentiles of durations in seconds; None without one."""
    ordered = sorted(seconds)
    if not ordered:
        return None
    return Durations(len(ordered), compute_percentile(ordered, 0.5), compute_percentile(ordered, 0.95), ordered[-1])


def describe_score(agreement: Agreement) -> ScoreFigures:
    """Return a score's figures without its values.

    Costs are sums in US dollars with the number of results that state one. Kinds that did not occur are left out.
    """
    from plexus.comparison.differences import BOTH_FAILED

    old, new = agreement.costs["old"], agreement.costs["new"]
    kinds = {**agreement.kinds, BOTH_FAILED: len(agreement.failed)}
    counts = {kind: count for kind, count in kinds.items() if count}
    costs = (float(sum(old)), len(old), float(sum(new)), len(new))
    return ScoreFigures(agreement.score, agreement.compared, agreement.same, agreement.interval, counts, *costs)


def write(aws: Aws, report: ShadowReport) -> bool:
    """Keep a report; returns whether the stage has a table for it. Another one of the same second replaces it.

    The report's time, to the second, is its key.
    """
    texts = {"function": _partition(aws), "at": report.at, "report": json.dumps(asdict(report))}
    item: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
    with ledger.ignore_absence() as outcome:
        aws.client("dynamodb").put_item(
            TableName=aws.stage.table(ledger.TABLE), Item=item | {"format": {"N": str(FORMAT)}}
        )
        outcome.append(True)
    return bool(outcome)


def read(aws: Aws, limit: int) -> list[ShadowReport] | None:
    """Return the last reports, newest first; None if the stage has no table for them."""
    items: list[dict[str, Any]] = []
    with ledger.ignore_absence() as outcome:
        items = aws.client("dynamodb").query(
            TableName=aws.stage.table(ledger.TABLE),
            KeyConditionExpression="#f = :f",
            ExpressionAttributeNames={"#f": "function"},
            ExpressionAttributeValues={":f": {"S": _partition(aws)}},
            ScanIndexForward=False,
            Limit=limit,
            ConsistentRead=True,
        )["Items"]
        outcome.append(True)
    return [_parse(item) for item in items] if outcome else None


def _partition(aws: Aws) -> str:
    return f"{aws.stage.function.name}#shadow"


def _parse(item: dict[str, Any]) -> ShadowReport:
    form = int(item.get("format", {}).get("N", "0"))
    if form > FORMAT:
        raise OperationFailed(f"shadow report: got format {form}, expected at most {FORMAT}", ledger.UPDATE)
    fields = json.loads(item["report"]["S"])
    scores = tuple(
        ScoreFigures(**one | {"interval": one["interval"] and tuple(one["interval"])}) for one in fields["scores"]
    )
    durations = {side: fields[side] and Durations(**fields[side]) for side in ("stored", "function")}
    return ShadowReport(**fields | durations | {"scores": scores})
