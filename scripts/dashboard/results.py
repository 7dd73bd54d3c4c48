"""The panel of the latest results: from a small table itself, else those in the log of the last hour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .connection import ReadOnly
from .hygiene import sanitize
from .jobs import read_attribute
from .journal import Journal
from .lines import Committed
from .values import Result, Results

MOST_RESULTS = 12
PAGES = 2  # of up to 1 MB: a larger table is never scanned again
_FIELDS = {
    "#id": "id",
    "#j": "scoringJobId",
    "#s": "scoreId",
    "#v": "value",
    "#c": "confidence",
    "#m": "cost",
    "#t": "createdAt",
}


@dataclass
class ResultReader:
    """Scans a table of up to two pages, in at most four calls; of a larger one it reads the logged results."""

    journal: Journal
    limit: int | None = None
    _large: set[str | None] = field(default_factory=set)
    _scores: dict[str, str] = field(default_factory=dict)

    def __call__(self, aws: ReadOnly) -> Results:
        """Return the newest results, without explanations and traces."""
        if aws.endpoint not in self._large:
            records, complete = self._scan(aws)
            if complete:
                return Results(self._newest(aws, records), len(records), "all records of the table")
            self._large.add(aws.endpoint)
        committed = [line for line in self.journal.read_lines(aws) if isinstance(line, Committed)]
        ids = list(dict.fromkeys(line.score_result_id for line in reversed(committed) if line.score_result_id))[
            :MOST_RESULTS
        ]
        records = self._by_id(aws, "ScoreResult", ids, _FIELDS)
        return Results(self._newest(aws, records), None, "results in the log of the last hour")

    def _scan(self, aws: ReadOnly) -> tuple[list[dict[str, Any]], bool]:
        request: dict[str, Any] = {
            "TableName": aws.stage.table("ScoreResult"),
            "ProjectionExpression": ", ".join(_FIELDS),
            "ExpressionAttributeNames": _FIELDS,
            **({} if self.limit is None else {"Limit": self.limit}),
        }
        records: list[dict[str, Any]] = []
        for _ in range(PAGES):
            answer = aws.client("dynamodb").scan(**request)
            records += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return records, True
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return records, False

    def _by_id(self, aws: ReadOnly, table: str, ids: Iterable[str], names: dict[str, str]) -> list[dict[str, Any]]:
        keys = [{"id": {"S": one}} for one in ids]
        if not keys:
            return []
        name = aws.stage.table(table)
        request = {"Keys": keys, "ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        records: list[dict[str, Any]] = (
            aws.client("dynamodb").batch_get_item(RequestItems={name: request})["Responses"].get(name, [])
        )
        return records

    def _newest(self, aws: ReadOnly, records: Sequence[dict[str, Any]]) -> list[Result]:
        newest = sorted(records, key=lambda record: read_attribute(record, "createdAt"), reverse=True)[:MOST_RESULTS]
        new = {score for record in newest if (score := read_attribute(record, "scoreId")) and score not in self._scores}
        for record in self._by_id(aws, "Score", sorted(new), {"#id": "id", "#n": "name"}):
            self._scores[read_attribute(record, "id")] = sanitize(read_attribute(record, "name"))
        return [self._result(record) for record in newest]

    def _result(self, record: dict[str, Any]) -> Result:
        score = read_attribute(record, "scoreId")
        return Result(
            id=read_attribute(record, "id"),
            scoring_job_id=read_attribute(record, "scoringJobId"),
            score=self._scores.get(score) or score,
            value=sanitize(read_attribute(record, "value")),
            confidence=_number(record, "confidence"),
            cost=_number(record.get("cost", {}).get("M") or record, "total_cost", "cost"),
            at=read_attribute(record, "createdAt"),
        )


def _number(record: dict[str, Any], *names: str) -> float | None:
    """Return the first of these attributes that is a number, or the text of one; None without one."""
    for name in names:
        with suppress(StopIteration, TypeError, ValueError):
            return float(next(iter(record.get(name, {}).values())))
    return None
