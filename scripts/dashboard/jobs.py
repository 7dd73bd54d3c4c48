"""Jobs by state: no index knows them, so the table is read, up to a limit that bounds the cost."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from .connection import ReadOnly
from .hygiene import shown
from .values import STATES, FailedJob, Jobs

PAGES = 8  # of at most 1 MB each: a thousand read units, or some 20,000 jobs, at most
FAILED_SHOWN = 10
_FIELDS = {"#id": "id", "#s": "status", "#e": "errorMessage", "#c": "completedAt", "#u": "updatedAt", "#n": "attempts"}
_LEASE = {"#l": "leaseUntil"}


def jobs(aws: ReadOnly, pages: int = PAGES, limit: int | None = None) -> Jobs:
    """Count jobs by state: at most `pages` calls of up to `limit` records, and one more where that was not all."""
    states: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    failed: list[FailedJob] = []
    lapsed, seen, now = 0, 0, time.time()
    request = _request(aws, limit)
    for _ in range(pages):
        answer = aws.client("dynamodb").scan(**request)
        for item in answer["Items"]:
            seen += 1
            state = _text(item, "status")
            states[state] += 1
            lapsed += state == "IN_PROGRESS" and _number(item, "leaseUntil") < now
            if state == "FAILED":
                failed.append(_failed(item))
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    complete = "LastEvaluatedKey" not in answer
    about = None if complete else _about(aws)
    failed.sort(key=lambda job: job.at, reverse=True)
    return Jobs(dict(states), lapsed, seen, complete, about, failed[:FAILED_SHOWN])


def _request(aws: ReadOnly, limit: int | None) -> dict[str, Any]:
    names = _FIELDS | _LEASE
    more = {} if limit is None else {"Limit": limit}
    return {
        "TableName": aws.stage.table("ScoringJob"),
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": names,
        **more,
    }


def _failed(item: dict[str, Any]) -> FailedJob:
    return FailedJob(
        id=_text(item, "id"),
        error=shown(_text(item, "errorMessage")),
        at=_text(item, "completedAt") or _text(item, "updatedAt"),
        attempts=int(_number(item, "attempts")),
    )


def _text(item: dict[str, Any], name: str) -> str:
    """The attribute as text, whichever of DynamoDB's types holds it."""
    return str(next(iter(item.get(name, {"S": ""}).values())))


def _number(item: dict[str, Any], name: str) -> float:
    """The attribute as a number; 0 for none, which is no reason to show nothing of the others."""
    try:
        return float(_text(item, name) or 0)
    except ValueError:
        return 0.0


def _about(aws: ReadOnly) -> int:
    table = aws.client("dynamodb").describe_table(TableName=aws.stage.table("ScoringJob"))["Table"]
    return int(table.get("ItemCount", 0))
