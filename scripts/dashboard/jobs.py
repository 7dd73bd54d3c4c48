"""The panel of jobs by state. No index has them, so the table is scanned up to a limit that bounds the cost."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from .connection import ReadOnly
from .hygiene import sanitize
from .values import STATES, FailedJob, Jobs

PAGES = 8  # of up to 1 MB each: at most 1000 read units, about 20,000 jobs
FAILED_SHOWN = 10
_FIELDS = {"#id": "id", "#s": "status", "#e": "errorMessage", "#c": "completedAt", "#u": "updatedAt", "#n": "attempts"}
_LEASE = {"#l": "leaseUntil", "#b": "startedAt"}


def count_jobs(aws: ReadOnly, pages: int = PAGES, limit: int | None = None) -> Jobs:
    """Count jobs by state in at most `pages` calls of `limit` records, plus one call if the table has more.

    `complete` is False if records are left; `about` is then the table's number of records, which AWS updates every six
    hours. Failed jobs are the latest of those read.
    """
    states: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    failed: list[FailedJob] = []
    lapsed, read, now = 0, 0, time.time()
    request = _request(aws, limit)
    for _ in range(pages):
        answer = aws.client("dynamodb").scan(**request)
        for item in answer["Items"]:
            read += 1
            state = read_attribute(item, "status")
            states[state] += 1
            lapsed += state == "IN_PROGRESS" and is_lapsed(item, now)
            if state == "FAILED":
                failed.append(parse_failed_job(item))
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    complete = "LastEvaluatedKey" not in answer
    about = None if complete else _about(aws)
    failed.sort(key=lambda job: job.at, reverse=True)
    return Jobs(dict(states), lapsed, read, complete, about, failed[:FAILED_SHOWN])


def _request(aws: ReadOnly, limit: int | None) -> dict[str, Any]:
    names = _FIELDS | _LEASE
    more = {} if limit is None else {"Limit": limit}
    return {
        "TableName": aws.stage.table("ScoringJob"),
        "ProjectionExpression": ", ".join(names),
        "ExpressionAttributeNames": names,
        **more,
    }


def is_lapsed(item: dict[str, Any], now: float) -> bool:
    """Return whether no worker can still run a job IN_PROGRESS; `now` is in Unix seconds.

    The original's worker writes no lease: its attempt ends with the timeout of its function.
    """
    from handler import attribute_values
    from handler.records import Job

    return Job.from_fields({"id": ""} | attribute_values.decode_fields(item)).busy_until < now


def parse_failed_job(item: dict[str, Any]) -> FailedJob:
    """Parse a FAILED job, with its reason sanitized."""
    return FailedJob(
        id=read_attribute(item, "id"),
        error=sanitize(read_attribute(item, "errorMessage")),
        at=read_attribute(item, "completedAt") or read_attribute(item, "updatedAt"),
        attempts=int(read_number(item, "attempts")),
    )


def read_attribute(item: dict[str, Any], name: str) -> str:
    """Return an attribute as text, whatever its DynamoDB type."""
    return str(next(iter(item.get(name, {"S": ""}).values())))


def read_number(item: dict[str, Any], name: str) -> float:
    """Return an attribute as a number; 0 if it is none, so that one odd record does not fail the panel."""
    try:
        return float(read_attribute(item, name) or 0)
    except ValueError:
        return 0.0


def _about(aws: ReadOnly) -> int:
    table = aws.client("dynamodb").describe_table(TableName=aws.stage.table("ScoringJob"))["Table"]
    return int(table.get("ItemCount", 0))
