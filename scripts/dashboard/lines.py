"""What a line of the log says, as far as the page shows it: never a text, never an exception's own words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .._logs import parsed
from .._report import parse_report
from .hygiene import shown

ENDINGS = {
    "failed": "the job is FAILED",
    "dead-lettered": "in the dead-letter queue",
    "retried": "will be tried again",
    "returned": "back in the queue, without blame",
    "requeued": "back in the queue as a fresh message",
}
_BY_LAMBDA = re.compile(r"Task timed out after [\d.]+ seconds|Runtime exited[\w ]*|Runtime\.\w+|Error: [\w.]+")


@dataclass(frozen=True)
class Line:
    """A line and when it was written, in milliseconds since 1970."""

    at_ms: int


@dataclass(frozen=True)
class Committed(Line):
    """A job has its result."""

    scoring_job_id: str
    score_result_id: str


@dataclass(frozen=True)
class Metrics(Line):
    """An invocation's metrics: how long its jobs took, in milliseconds, and whether it was a cold start."""

    durations_ms: tuple[float, ...]
    cold: bool


@dataclass(frozen=True)
class Invocation(Line):
    """Lambda's report of an invocation, in milliseconds; `cold` where it had to start an environment."""

    duration_ms: float
    cold: bool


@dataclass(frozen=True)
class Failure(Line):
    """Something that did not work: why, what becomes of the job, in which words, and which job it was."""

    level: str
    cause: str
    fate: str
    said: str
    scoring_job_id: str = ""


def parse(message: str, at_ms: int) -> Line | None:
    """Return what a line says; None for a line that the page does not show."""
    record = parsed(message)
    if record is not None:
        return _of_metrics(record, at_ms) if "_aws" in record else _of_worker(record, at_ms)
    if message.startswith("REPORT "):
        report = parse_report(message)
        if report and report.status not in ("timeout", "error"):
            return Invocation(at_ms, report.duration_ms, report.init_ms is not None)
        return Failure(at_ms, "ERROR", f"invocation: {report.status}", "", "") if report else None
    found = _BY_LAMBDA.search(message)
    if found and not message.startswith(("START ", "END ", "INIT_")):
        return Failure(at_ms, "ERROR", "the function ended", "the messages come back", found.group())
    return None


def _of_metrics(record: dict[str, Any], at_ms: int) -> Line | None:
    durations = record.get("JobDuration", [])
    numbers = durations if isinstance(durations, list) else [durations]
    return Metrics(at_ms, tuple(float(one) for one in numbers), bool(record.get("ColdStarts")))


def _of_worker(record: dict[str, Any], at_ms: int) -> Line | None:
    level = str(record.get("level", "")).upper()
    job = shown(record.get("scoring_job_id") or "")
    if record.get("message") == "committed":
        return Committed(at_ms, job, str(record.get("score_result_id", "")))
    if level not in ("WARNING", "ERROR", "CRITICAL"):
        return None
    ending = str(record.get("ending") or "")
    return Failure(
        at_ms,
        "WARNING" if level == "WARNING" else "ERROR",
        cause=shown(record.get("cause") or record.get("message") or "no message"),
        fate=ENDINGS.get(ending, shown(ending)),
        said=shown(record.get("error") or ""),
        scoring_job_id=job,
    )
