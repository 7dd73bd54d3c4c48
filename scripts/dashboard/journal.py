"""The function's log of the last hour, read incrementally and within a limit of calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..aws.logs import ENDS_AND_FAILURES
from ..console.errors import NotFound
from .connection import ReadOnly
from .lines import Line, parse

WINDOW_MS = 3_600_000
OVERLAP_MS = 10_000  # CloudWatch delivers events of other streams this late
PAGES = 5  # calls per reading
AT_ONCE_S = 3.0  # panels that ask within this time share a reading
MOST = 50_000  # lines kept in memory
CATCH_UP_MS = 300_000  # restart this close to the end of a log that outpaces the readings
PATTERN = f"{ENDS_AND_FAILURES} ?JobDuration ?committed ?WARNING"


@dataclass
class Journal:
    """Lines of the log about jobs, failures and invocations, shared by several panels.

    At most five calls per reading, and one reading in three seconds. If the log outpaces that, the newest minutes are
    kept, and `gap` is the time since which lines may be missing.
    """

    clock: Callable[[], float] = time.time
    pages: int = PAGES
    gap: str = ""
    _lines: dict[str, Line] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    _next: int = 0
    _read_at: float = 0.0
    _endpoint: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read_lines(self, aws: ReadOnly) -> list[Line]:
        """Return the lines of the last hour, oldest first; NotFound without a log group.

        Thread-safe: panels that need the log at the same time share one read. Lines that are an hour old are dropped.
        """
        with self._lock:
            now_ms = int(self.clock() * 1000)
            if aws.endpoint != self._endpoint:  # a restarted local AWS: start over
                self._lines, self._seen, self._next, self._endpoint, self._read_at = {}, {}, 0, aws.endpoint, 0.0
            if self.clock() >= self._read_at + AT_ONCE_S:
                self._read(aws, now_ms)
                self._read_at = self.clock()
            return sorted(self._lines.values(), key=lambda line: line.at_ms)

    @property
    def since_ms(self) -> int:
        """Return the start of the hour, in milliseconds since 1970."""
        return int(self.clock() * 1000) - WINDOW_MS

    def _read(self, aws: ReadOnly, now_ms: int) -> None:
        start = max(self._next - OVERLAP_MS, now_ms - WINDOW_MS)
        request: dict[str, Any] = {"logGroupName": aws.stage.log_group, "startTime": start, "filterPattern": PATTERN}
        newest, token = self._next, ""
        for _ in range(self.pages):
            answer = self._page(aws, request)
            newest = max([newest, *map(self._take, answer["events"])])
            token = answer.get("nextToken", "")
            if not token:
                break
            request["nextToken"] = token
        self._next = newest
        if token and newest < now_ms - CATCH_UP_MS:
            self._next = now_ms - CATCH_UP_MS
            self.gap = "the log outpaces this page: earlier lines may be missing"
        self._forget(now_ms - WINDOW_MS)

    def _page(self, aws: ReadOnly, request: dict[str, Any]) -> dict[str, Any]:
        client = aws.client("logs")
        try:
            response: dict[str, Any] = client.filter_log_events(**request)
            return response
        except client.exceptions.ResourceNotFoundException:
            raise NotFound(
                f"stage {aws.stage.name} has no log group {aws.stage.log_group}",
                "the first invocation creates it: make invoke",
            ) from None

    def _take(self, event: dict[str, Any]) -> int:
        """Keep an event if it is new; return its time."""
        identity, at_ms = str(event["eventId"]), int(event["timestamp"])
        if identity not in self._seen:
            self._seen[identity] = at_ms
            if (line := parse(str(event["message"]), at_ms, str(event.get("logStreamName", "")))) is not None:
                self._lines[identity] = line
        return at_ms

    def _forget(self, before_ms: int) -> None:
        kept = [(identity, line) for identity, line in self._lines.items() if line.at_ms >= before_ms]
        if len(kept) > MOST:
            self.gap = f"only the last {MOST} lines are shown"
        self._lines = dict(kept[-MOST:])
        self._seen = {identity: at for identity, at in self._seen.items() if at >= self._next - 2 * OVERLAP_MS}
