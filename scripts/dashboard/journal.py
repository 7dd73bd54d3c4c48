"""The function's log of the last hour, read on from where the last reading ended and within a limit of calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .._errors import NotFound
from .connection import ReadOnly
from .lines import Line, parse

WINDOW_MS = 3_600_000
OVERLAP_MS = 10_000  # events of other streams may arrive this late
PAGES = 5  # a reading asks so often at most
AT_ONCE_S = 3.0
MOST = 50_000  # lines kept
CATCH_UP_MS = 300_000  # a log that is busier than we read is followed from so near its end
PATTERN = '?"REPORT RequestId" ?JobDuration ?committed ?ERROR ?CRITICAL ?WARNING ?"Task timed out" ?"Runtime exited"'


@dataclass
class Journal:
    """What the log says of jobs, failures and invocations; several panels share one reading.

    At most five calls a reading and one reading in three seconds. Where that is too little, the newest minutes win
    and `gap` says since when lines may be missing.
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

    def lines(self, aws: ReadOnly) -> list[Line]:
        """The lines of the last hour, the oldest first; NotFound without a log group."""
        with self._lock:
            now_ms = int(self.clock() * 1000)
            if aws.endpoint != self._endpoint:  # another local AWS: nothing of it is known
                self._lines, self._seen, self._next, self._endpoint, self._read_at = {}, {}, 0, aws.endpoint, 0.0
            if self.clock() >= self._read_at + AT_ONCE_S:
                self._read(aws, now_ms)
                self._read_at = self.clock()
            return sorted(self._lines.values(), key=lambda line: line.at_ms)

    @property
    def since_ms(self) -> int:
        """Where the hour begins."""
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
            self.gap = "the log is busier than this page reads: the newest minutes are here, lines before may miss"
        self._forget(now_ms - WINDOW_MS)

    def _page(self, aws: ReadOnly, request: dict[str, Any]) -> dict[str, Any]:
        client = aws.client("logs")
        try:
            found: dict[str, Any] = client.filter_log_events(**request)
            return found
        except client.exceptions.ResourceNotFoundException:
            raise NotFound(
                f"there is no log group {aws.stage.log_group} in stage {aws.stage.name}",
                "it appears with the first invocation: make invoke",
            ) from None

    def _take(self, event: dict[str, Any]) -> int:
        """Keep one event that is new, and return its time."""
        identity, at_ms = str(event["eventId"]), int(event["timestamp"])
        if identity not in self._seen:
            self._seen[identity] = at_ms
            if (line := parse(str(event["message"]), at_ms)) is not None:
                self._lines[identity] = line
        return at_ms

    def _forget(self, before_ms: int) -> None:
        kept = [(identity, line) for identity, line in self._lines.items() if line.at_ms >= before_ms]
        if len(kept) > MOST:
            self.gap = f"only the last {MOST} lines are kept"
        self._lines = dict(kept[-MOST:])
        self._seen = {identity: at for identity, at in self._seen.items() if at >= self._next - 2 * OVERLAP_MS}
