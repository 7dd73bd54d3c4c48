"""Read the function's log group, and follow it without losing or repeating an event."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..console.errors import NotFound
from .clients import Aws

OVERLAP_MS = 10_000  # CloudWatch delivers events of other streams this late; those already returned are known by id


@dataclass(frozen=True)
class Event:
    """One log event; `timestamp` in milliseconds since 1970."""

    id: str
    timestamp: int
    stream: str
    message: str


@dataclass
class Follower:
    """Polls the log group; each event is returned once, even if it arrives late."""

    aws: Aws
    since_ms: int
    pattern: str = ""
    _seen: dict[str, int] = field(default_factory=dict)

    def read(self) -> list[Event]:
        """Return the events that were not returned before, oldest first.

        One poll, without a pause. It reads OVERLAP_MS back each time, because CloudWatch may deliver events late; an
        event that is later than that is lost.
        """
        fresh = [event for event in read(self.aws, self.since_ms, self.pattern) if event.id not in self._seen]
        for event in fresh:
            self._seen[event.id] = event.timestamp
        if fresh:
            self.since_ms = max(self.since_ms, max(event.timestamp for event in fresh) - OVERLAP_MS)
            self._seen = {id: at for id, at in self._seen.items() if at >= self.since_ms}
        return fresh

    def follow(self, pause_s: float = 1.0) -> Iterator[Event]:
        """Yield events endlessly."""
        while True:
            yield from self.read()
            time.sleep(pause_s)


def read(aws: Aws, since_ms: int, pattern: str = "") -> list[Event]:
    """Return all events since a time, oldest first, across streams; NotFound before the first invocation.

    `since_ms` is in milliseconds since 1970, inclusive. Events of one stream keep their order; equal times of
    different streams are in no order. All pages are held in memory.
    """
    client = aws.client("logs")
    request: dict[str, Any] = {"logGroupName": aws.stage.log_group, "startTime": since_ms}
    if pattern:
        request["filterPattern"] = pattern
    try:
        pages = list(client.get_paginator("filter_log_events").paginate(**request))
    except client.exceptions.ResourceNotFoundException:
        raise NotFound(
            f"stage {aws.stage.name} has no log group {aws.stage.log_group}",
            "the first invocation creates it: make invoke",
        ) from None
    events = [
        Event(e["eventId"], e["timestamp"], e.get("logStreamName", ""), e["message"].rstrip("\n"))
        for page in pages
        for e in page["events"]
    ]
    return sorted(events, key=lambda event: event.timestamp)  # a stable sort keeps the order within a stream


_SHOWN_FIRST = (
    "level",
    "message",
    "timestamp",
    "time",
    "asctime",
    "logger",
    "name",
    "exception",
    "exc_info",
    "traceback",
    "stack_trace",
)


_SHOWN_LAST = ("message_id", "aws_request_id", "trace_id")  # long, and only useful for a search
_METRICS = "_aws"  # the embedded metric format's description; the values are the object's other keys


def render(message: str) -> str:
    """Format a log line: a JSON object as `LEVEL message key=value …`, other text unchanged.

    A line in the embedded metric format gets the level METRICS.
    """
    record = parse_json(message)
    if record is None:
        return message
    level = "METRICS" if _METRICS in record else str(record.get("level", "")).upper()
    words = [f"{level:<7}"] if level else []
    words.append(str(record.get("message", record.get("msg", ""))))
    keys = [key for key in record if key not in (*_SHOWN_FIRST, "msg", _METRICS)]
    words += [f"{key}={_value(record[key])}" for key in sorted(keys, key=_SHOWN_LAST.__contains__)]
    trace = next((record[key] for key in ("exception", "exc_info", "traceback", "stack_trace") if record.get(key)), "")
    text = " ".join(word for word in words if word)
    return f"{text}\n{_trace(trace)}" if trace else text


def parse_json(message: str) -> dict[str, Any] | None:
    """Return the object in a JSON log line, or None."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        record = json.loads(message)
    except (ValueError, RecursionError):  # RecursionError: nested deeper than any line of the worker
        return None
    return record if isinstance(record, dict) else None


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value if value and not any(c.isspace() for c in value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _trace(trace: Any) -> str:
    lines = trace if isinstance(trace, list) else str(trace).splitlines()
    return "\n".join(f"    {line}".rstrip() for line in lines)


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


_STATUS = re.compile(r"^(?:INIT_)?REPORT .*\bStatus: (error|timeout)(?:\s+Error Type: (\S+))?")
_INIT = re.compile(r"^INIT_REPORT .*\bPhase: init\b.*\bStatus: (error|timeout)")
_TIMED_OUT = re.compile(r"^\S+ \S+ (Task timed out after [\d.]+ seconds)")
_EXITED = re.compile(r"^RequestId: \S+ (?:Error: )?((?:Runtime|Process) exited .*)")


TIMEOUT = "timeout"
ENDS_AND_FAILURES = '?"REPORT " ?"Task timed out" ?"Runtime exited" ?"Process exited" ?ERROR ?CRITICAL'
"""The filter pattern of reports, of what `find_platform_failure` recognizes, and of the worker's errors."""


def find_platform_failure(message: str) -> str:
    """Return the failure that a line of Lambda's platform or runtime client reports; empty if it reports none.

    An unhandled exception is reported by the runtime client, a crash or a timeout by the REPORT line and lines before
    it. The REPORT line of an unhandled exception has no status. An init phase that took too long is no failure.
    """
    if find_init_failure(message) == TIMEOUT:
        return ""
    if message.startswith("[ERROR] "):
        return message.removeprefix("[ERROR] ").replace("\r", "\n").partition("\n")[0]
    if match := _STATUS.search(message):
        return match[2] or match[1]
    match = _TIMED_OUT.search(message) or _EXITED.search(message)
    return match[1] if match else ""


def find_init_failure(message: str) -> str:
    """Return how an init phase before any invocation ended if it failed, `error` or `timeout`; empty for other lines.

    Lambda limits it to ten seconds. The first invocation repeats it, within the function's own timeout.
    """
    match = _INIT.search(message)
    return match[1] if match else ""


def find_level(message: str) -> str:
    """Return a line's level in capitals, empty without one.

    A failure reported by Lambda itself is an ERROR, an init phase that has to be repeated since it was slow a WARNING.
    """
    if find_platform_failure(message):
        return "ERROR"
    if find_init_failure(message):
        return "WARNING"
    return str((parse_json(message) or {}).get("level", "")).upper()


@dataclass(frozen=True)
class LineFilter:
    """A filter of log lines: minimum level, job id and text. With a level, lines without one do not match."""

    level: str = ""
    job: str = ""
    text: str = ""

    def __call__(self, message: str) -> bool:
        """Return whether a line matches."""
        if self.job and self.job not in message:
            return False
        if self.text and self.text.lower() not in message.lower():
            return False
        if not self.level:
            return True
        level = find_level(message)
        return level in LEVELS and LEVELS.index(level) >= LEVELS.index(self.level)
