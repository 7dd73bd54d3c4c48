"""The last results: all of a small table, else those that the log of the last hour names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .connection import ReadOnly
from .hygiene import shown
from .journal import Journal
from .lines import Committed
from .values import Result, Results

SHOWN = 12
PAGES = 2  # of 1 MB: a larger table is read no further, and never again
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
    """Reads a table of up to two pages whole: at most four calls; of a larger one the results that were logged."""

    journal: Journal
    limit: int | None = None
    _large: set[str | None] = field(default_factory=set)
    _scores: dict[str, str] = field(default_factory=dict)

    def __call__(self, aws: ReadOnly) -> Results:
        """Return the newest results without explanation and trace."""
        if aws.endpoint not in self._large:
            records, complete = self._scan(aws)
            if complete:
                return Results(self._named(aws, records), len(records), "every record of the table")
            self._large.add(aws.endpoint)
        made = [line for line in self.journal.lines(aws) if isinstance(line, Committed)]
        ids = list(dict.fromkeys(line.score_result_id for line in reversed(made) if line.score_result_id))[:SHOWN]
        records = self._by_id(aws, "ScoreResult", ids, _FIELDS)
        return Results(self._named(aws, records), None, "the results that the log of the last hour names")

    def _scan(self, aws: ReadOnly) -> tuple[list[dict[str, Any]], bool]:
        request: dict[str, Any] = {
            "TableName": aws.stage.table("ScoreResult"),
            "ProjectionExpression": ", ".join(_FIELDS),
            "ExpressionAttributeNames": _FIELDS,
            **({} if self.limit is None else {"Limit": self.limit}),
        }
        found: list[dict[str, Any]] = []
        for _ in range(PAGES):
            answer = aws.client("dynamodb").scan(**request)
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found, True
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found, False

    def _by_id(self, aws: ReadOnly, table: str, ids: Iterable[str], names: dict[str, str]) -> list[dict[str, Any]]:
        keys = [{"id": {"S": one}} for one in ids]
        if not keys:
            return []
        name = aws.stage.table(table)
        wanted = {"Keys": keys, "ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        found: list[dict[str, Any]] = (
            aws.client("dynamodb").batch_get_item(RequestItems={name: wanted})["Responses"].get(name, [])
        )
        return found

    def _named(self, aws: ReadOnly, records: Sequence[dict[str, Any]]) -> list[Result]:
        newest = sorted(records, key=lambda record: _text(record, "createdAt"), reverse=True)[:SHOWN]
        new = {score for record in newest if (score := _text(record, "scoreId")) and score not in self._scores}
        for record in self._by_id(aws, "Score", sorted(new), {"#id": "id", "#n": "name"}):
            self._scores[_text(record, "id")] = shown(_text(record, "name"))
        return [self._result(record) for record in newest]

    def _result(self, record: dict[str, Any]) -> Result:
        score = _text(record, "scoreId")
        return Result(
            id=_text(record, "id"),
            scoring_job_id=_text(record, "scoringJobId"),
            score=self._scores.get(score) or score,
            value=shown(_text(record, "value")),
            confidence=_number(record, "confidence"),
            cost=_number(record, "cost"),
            at=_text(record, "createdAt"),
        )


def _text(record: dict[str, Any], name: str) -> str:
    return str(next(iter(record.get(name, {"S": ""}).values())))


def _number(record: dict[str, Any], name: str) -> float | None:
    try:
        return float(record[name]["N"])
    except (KeyError, ValueError):
        return None
