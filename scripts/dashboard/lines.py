"""Parse the log lines that the page shows. Item texts and exception messages are never kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..aws.logs import find_init_failure, find_platform_failure, parse_json
from ..aws.report import parse_report
from .hygiene import sanitize

ENDINGS = {
    "failed": "job FAILED",
    "dead-lettered": "moved to the dead-letter queue",
    "retried": "retried",
    "returned": "returned to the queue",
    "requeued": "returned to the queue as a new message",
}


@dataclass(frozen=True)
class Line:
    """A line and its time in milliseconds since 1970."""

    at_ms: int


@dataclass(frozen=True)
class Committed(Line):
    """A job's result was committed."""

    scoring_job_id: str
    score_result_id: str


@dataclass(frozen=True)
class Metrics(Line):
    """An invocation's metrics: its jobs' durations in milliseconds, and whether it was a cold start."""

    durations_ms: tuple[float, ...]
    cold: bool


@dataclass(frozen=True)
class Invocation(Line):
    """Lambda's report of an invocation: duration in milliseconds, log stream, and its failure, if it names one."""

    duration_ms: float
    cold: bool
    stream: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Complaint(Line):
    """A line before the report of a failed invocation, or of a failed init phase: why, and how the phase ended."""

    stream: str
    failure: str
    init_failure: str = ""


@dataclass(frozen=True)
class Failure(Line):
    """A failure: its cause, the job's outcome, the error's message, and the job."""

    level: str
    cause: str
    fate: str
    said: str
    scoring_job_id: str = ""


def parse(message: str, at_ms: int, stream: str = "") -> Line | None:
    """Parse a line; None for a line that the page does not show.

    `at_ms` is the event's time, in milliseconds since 1970. Untrusted text is sanitized.
    """
    record = parse_json(message)
    if record is not None:
        return _of_metrics(record, at_ms) if "_aws" in record else _of_worker(record, at_ms)
    failure = sanitize(find_platform_failure(message))
    if message.startswith("REPORT "):
        report = parse_report(message)
        if report is None:
            return None
        return Invocation(at_ms, report.duration_ms, report.init_ms is not None, stream, failure)
    init_failure = find_init_failure(message)
    return Complaint(at_ms, stream, failure, init_failure) if failure or init_failure else None


def _of_metrics(record: dict[str, Any], at_ms: int) -> Line | None:
    durations = record.get("JobDuration", [])
    numbers = durations if isinstance(durations, list) else [durations]
    return Metrics(at_ms, tuple(float(one) for one in numbers), bool(record.get("ColdStarts")))


def _of_worker(record: dict[str, Any], at_ms: int) -> Line | None:
    level = str(record.get("level", "")).upper()
    job = sanitize(record.get("scoring_job_id") or "")
    if record.get("message") == "committed":
        return Committed(at_ms, job, str(record.get("score_result_id", "")))
    if level not in ("WARNING", "ERROR", "CRITICAL"):
        return None
    ending = str(record.get("ending") or "")
    return Failure(
        at_ms,
        "WARNING" if level == "WARNING" else "ERROR",
        cause=sanitize(record.get("cause") or record.get("message") or "no message"),
        fate=ENDINGS.get(ending, sanitize(ending)),
        said=sanitize(record.get("error") or ""),
        scoring_job_id=job,
    )
