"""Reading a log group: pages of events, followed without losing or repeating one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ._aws import Aws
from ._errors import NotFound

OVERLAP_MS = 10_000  # events of other streams may arrive this late; what was shown is known by its id


@dataclass(frozen=True)
class Event:
    """One line of a log: time in milliseconds since 1970, and its stream."""

    id: str
    timestamp: int
    stream: str
    message: str


@dataclass
class Follower:
    """Reads a log group again and again; each event is given once, whenever it arrives."""

    aws: Aws
    since_ms: int
    pattern: str = ""
    _seen: dict[str, int] = field(default_factory=dict)

    def read(self) -> list[Event]:
        """Return the events that were not given before, the oldest first."""
        fresh = [event for event in read(self.aws, self.since_ms, self.pattern) if event.id not in self._seen]
        for event in fresh:
            self._seen[event.id] = event.timestamp
        if fresh:
            self.since_ms = max(self.since_ms, max(event.timestamp for event in fresh) - OVERLAP_MS)
            self._seen = {id: at for id, at in self._seen.items() if at >= self.since_ms}
        return fresh

    def follow(self, pause_s: float = 1.0) -> Iterator[Event]:
        """Give events for ever."""
        while True:
            yield from self.read()
            time.sleep(pause_s)


def read(aws: Aws, since_ms: int, pattern: str = "") -> list[Event]:
    """Return every event of the function's log group since a time, the oldest first, across its streams."""
    client = aws.client("logs")
    request: dict[str, Any] = {"logGroupName": aws.stage.log_group, "startTime": since_ms}
    if pattern:
        request["filterPattern"] = pattern
    try:
        pages = list(client.get_paginator("filter_log_events").paginate(**request))
    except client.exceptions.ResourceNotFoundException:
        raise NotFound(
            f"there is no log group {aws.stage.log_group} in stage {aws.stage.name}",
            "it appears with the first invocation: make invoke",
        ) from None
    events = [
        Event(e["eventId"], e["timestamp"], e.get("logStreamName", ""), e["message"].rstrip("\n"))
        for page in pages
        for e in page["events"]
    ]
    return sorted(events, key=lambda event: event.timestamp)  # stable: within a stream the order stays


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


_SHOWN_LAST = ("message_id", "aws_request_id", "trace_id")  # long, and of use only to look for others
_METRICS = "_aws"  # describes the metrics of a line in the embedded metric format; their values stand beside it


def render(message: str) -> str:
    """Return a log line as people read it: a JSON object as `LEVEL message key=value …`, other text as it is.

    A line of metrics has METRICS for a level, and not their description.
    """
    record = parsed(message)
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


def parsed(message: str) -> dict[str, Any] | None:
    """Return the object in a JSON log line, or None."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        record = json.loads(message)
    except (ValueError, RecursionError):  # RecursionError: nested more deeply than anything of ours
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


def level_of(message: str) -> str:
    """Return a line's level in capitals, empty for none; what Lambda's runtime says of a crash is an ERROR."""
    if message.startswith("[ERROR]"):
        return "ERROR"
    return str((parsed(message) or {}).get("level", "")).upper()


@dataclass(frozen=True)
class Wanted:
    """Which lines to show: from a level on, of one job, with a text. Lines without a level pass no level."""

    level: str = ""
    job: str = ""
    text: str = ""

    def __call__(self, message: str) -> bool:
        """Whether a line is wanted."""
        if self.job and self.job not in message:
            return False
        if self.text and self.text.lower() not in message.lower():
            return False
        if not self.level:
            return True
        level = level_of(message)
        return level in LEVELS and LEVELS.index(level) >= LEVELS.index(self.level)
