"""Score jobs again without effect: the function returns their results, and writes and sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from plexus.comparison.answers import Answer, without_value

from ..aws.clients import Aws
from ..aws.dynamodb import Record
from ..aws.invocation import invoke

_SHARES = 2**32


@dataclass(frozen=True)
class ShadowRun:
    """One job's answer; `seconds` is how long its score took, None if it gave no result.

    `has_crashed` says whether the invocation itself failed. `job_seconds` is how long the invocation took, None if
    Lambda did not report it, and `version` the function's version that ran.
    """

    answer: Answer
    seconds: float | None
    has_crashed: bool = False
    job_seconds: float | None = None
    version: str = ""


def sample(records: Sequence[Record], share: float, limit: int) -> list[Record]:
    """Return the results of a share of the jobs, at most the newest `limit`; `records` are ordered by time.

    Whether a job is part of it depends on its id alone, so that another run has the same jobs, and newer ones.
    """
    jobs = [record for record in records if record.get("scoringJobId")]
    return [record for record in jobs if _fraction(str(record["scoringJobId"])) < share][-limit:]


def _fraction(job: str) -> float:
    return int.from_bytes(hashlib.sha256(job.encode()).digest()[:4]) / _SHARES


def run(
    aws: Aws, records: Sequence[Record], qualifier: str | None, at_once: int, done: Callable[[int], None]
) -> Iterator[ShadowRun]:
    """Score each result's job by the function, `at_once` at a time, and yield the runs in order.

    `done` is called with 1 for each.
    """

    def score_job(record: Record) -> ShadowRun:
        job, score = str(record["scoringJobId"]), str(record["score"])
        answer = invoke(aws, {"source": "shadow", "scoring_job_id": job}, qualifier=qualifier)
        done(1)
        took = answer.report.duration_ms / 1000 if answer.report else None
        run = _read(job, score, answer.payload, answer.function_error)
        return replace(run, job_seconds=None if run.seconds is None else took, version=answer.version)

    _ = aws.invoker  # created before the threads share it
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(score_job, records)


def _read(job: str, score: str, payload: Any, function_error: str | None) -> ShadowRun:
    """Parse the function's answer; a failed invocation counts as a failure of the job."""
    if function_error or not isinstance(payload, dict) or not isinstance(payload.get("body"), str):
        reason = payload.get("errorMessage", "") if isinstance(payload, dict) else ""
        return ShadowRun(without_value(job, score, function_error or "no answer", str(reason)), None, True)
    body = json.loads(payload["body"])
    if "result" not in body:
        return ShadowRun(without_value(job, score, *str(body.get("error", body)).split(": ", 1)), None)
    result = body["result"]
    cost = None if result["cost"] is None else Decimal(result["cost"])
    return ShadowRun(Answer(job, score, "value", result["value"], result["explanation"], cost), body["seconds"])
