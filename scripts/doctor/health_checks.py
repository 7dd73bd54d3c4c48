"""Checks of the serving versions: failed invocations, and jobs without a result."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from ..aws import health, ledger, logs
from ..aws.clients import Aws, make
from ..aws.health import Health
from ..aws.ledger import Entry
from ..aws.logs import Event
from ..console.errors import OperationFailed
from ..console.text import cut_text, find_first_line, format_clock_time, pluralize
from ..release import rollback, versions
from ..release.versions import ServedVersion
from .finding import FAIL, OK, WARN, Finding

HOUR_S = 3600
REASON_LENGTH = 160  # characters shown of a reason
FEW = 3
"""So many jobs without a result, and none with one, are a failure of the version instead of their own.

If they are still being retried they are a warning of it: what they need may be unavailable for a while.
"""


@dataclass(frozen=True)
class Served:
    """Each serving version's health since a time, and the change of the alias that began it.

    `change` is None if the alias has been where it is for more than an hour.
    """

    aws: Aws
    live: ServedVersion
    since_ms: int
    change: Entry | None
    versions: dict[str, Health]


def check_calls(aws: Aws) -> list[Finding]:
    """calls: no invocation of a serving version failed, and no job ended without a result, since the last deploy."""
    live = versions.read_live(aws)
    hour_ago = int((time.time() - HOUR_S) * 1000)
    entries = ledger.read_entries(aws) or ()
    began = ledger.find_beginning(entries)
    changed = min(ledger.parse_milliseconds(began), int(time.time() * 1000))
    since, change = (changed, began) if changed > hour_ago else (hour_ago, None)
    read = health.read(aws, since)
    serving = [live.version or "$LATEST", *(live.alias.shares if live.alias else ())]
    period = Served(aws, live, since, change, {version: health.combine(read, [version]) for version in serving})
    # Each rollback since then left the version where it was, after a smoke test: a call that says nothing about jobs.
    smokes = sum(entry.action == "rollback" and entry.at > began.at for entry in entries) if began else 0
    return [_calls(period, smokes), *_inits(period), _jobs(period)]


def _calls(period: Served, smokes: int) -> Finding:
    version, worst = max(period.versions.items(), key=lambda item: len(item[1].failed))
    if not worst.failed:
        total = sum(len(one.calls) for one in period.versions.values())
        return Finding("calls", OK, f"none of {total} failed since {format_clock_time(period.since_ms)}")
    began = worst.failed[0].at_ms
    after = [call for call in worst.calls if call.at_ms >= began]
    failed = f"{len(worst.failed)} of {pluralize(len(after), 'call')} since {format_clock_time(began)}"
    detail = f"version {version} failed {failed}: {_cut(worst.reason)}"
    succeeded = max(0, next(n for n, call in enumerate(reversed(after)) if call.failure) - smokes)
    if succeeded or 2 * len(worst.failed) < len(after):
        last = f"; the last {pluralize(succeeded, 'call')} succeeded" if succeeded else ""
        return Finding("calls", WARN, f"{detail}{last}", _log(period.aws))
    return Finding("calls", FAIL, detail, _way_back(period, version))


def _inits(period: Served) -> list[Finding]:
    """Return a warning if calls had to repeat an init phase that took longer than Lambda allows it."""
    slow = sum(call.repeated_init for one in period.versions.values() for call in one.calls)
    if not slow:
        return []
    since = format_clock_time(period.since_ms)
    detail = f"took over 10 s and was repeated in {pluralize(slow, 'call')} since {since}, which is no failure"
    look = f"{make('logs', period.aws.stage)} FOLLOW=0 TEXT=INIT_REPORT SINCE=1h"
    return [Finding("initialization", WARN, detail, f"{look} shows them; import less, or raise function.memory_mb")]


def _jobs(period: Served) -> Finding:
    total = health.combine(period.versions, list(period.versions))
    since, failed = format_clock_time(period.since_ms), len(total.errors)
    retried = len(_name_jobs(total.retries) - _name_jobs(total.errors))
    counts = f"{total.completed} completed, {failed or 'none'} without a result"
    if retried:
        counts = f"{total.completed} completed, " + (f"{failed} without a result, " if failed else "")
        counts += f"{retried} {'retried' if total.completed else 'being retried'}"
    if not failed and retried <= total.completed:
        return Finding("jobs", OK, f"{counts} since {since}")
    latest = max((*total.errors, *total.retries), key=lambda event: event.timestamp)
    detail = f"{counts} since {since}; latest: {_error(latest)}"
    if total.completed or failed + retried < FEW or period.change is None:
        return Finding("jobs", WARN, detail, _log(period.aws, "ERROR" if failed else "WARNING"))
    return Finding("jobs", FAIL if failed >= FEW else WARN, detail, _way_back(period, period.live.version))


def _name_jobs(lines: Iterable[Event]) -> set[str]:
    """Return the jobs of the worker's lines; a line that names none counts as a job of its own."""
    records = [(event.id, logs.parse_json(event.message) or {}) for event in lines]
    return {str(record.get("scoring_job_id") or record.get("message_id") or name) for name, record in records}


def _way_back(period: Served, version: str) -> str:
    """Return the command that serves what was served before a broken version; the log if nothing was."""
    aws, live = period.aws, period.live
    if live.is_split and version != live.version:
        return make(f"rollback TO={live.version}", aws.stage)
    if period.change and period.change.action == "config" and period.change.previous_version not in ("", "$LATEST"):
        return make(f"rollback TO={period.change.previous_version}", aws.stage)
    try:
        rollback.find(aws, live, None)
    except OperationFailed:  # this is the first deploy, or every earlier image is gone
        return f"{_log(aws)}; correct the image, then {make('build push deploy', aws.stage)}"
    return make("rollback", aws.stage)


def _log(aws: Aws, level: str = "ERROR") -> str:
    return f"{make('logs', aws.stage)} FOLLOW=0 LEVEL={level} SINCE=1h"


def _error(event: Event) -> str:
    """Return the error of a job without its ids."""
    record = logs.parse_json(event.message) or {}
    parts = [str(record[key]) for key in ("message", "error") if record.get(key)]
    return _cut(": ".join(parts) or event.message)


def _cut(text: str) -> str:
    return cut_text(find_first_line(text), REASON_LENGTH)
