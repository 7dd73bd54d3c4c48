"""A share of the calls for the new version, watched for a while; then all of them, or none.

What is watched is the function's log, by the version in the name of each log stream, so that no metric has to arrive
first. An invocation that ended in an error or a timeout sends every call back at once; so do jobs without a result
when the new version has clearly more of them than the old one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import _function, _logs
from ._aws import Aws
from ._errors import NotFound, OperationFailed
from ._function import Alias, Facts
from ._interrupts import interrupts_later

STREAM = re.compile(r"\[(?P<version>\d+|\$LATEST)\]")
BROKEN = re.compile(r"^REPORT .*Status: (error|timeout)|^\[ERROR\]")
"""Lambda's word for a crash or a timeout, and the runtime client's for an exception that the handler let through."""
PATTERNS = ('"REPORT RequestId"', '"[ERROR]"', '"\\"level\\": \\"ERROR\\""')
FEW, TIMES = 3, 2
PAUSE_S = 2.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """Invocations of one version, those that failed, and the jobs that ended without a result."""

    calls: int = 0
    failed: int = 0
    jobs: int = 0

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.failed} failed, {self.jobs} jobs without a result"

    def is_worse_than(self, other: Seen) -> bool:
        """Whether an invocation failed, or clearly more jobs for each call than of `other`."""
        share = self.jobs / max(1, self.calls)
        return bool(self.failed) or (self.jobs >= FEW and share > TIMES * other.jobs / max(1, other.calls))


def watch(aws: Aws, version: Facts, live: Alias, *, percent: float, seconds: float, say: Say) -> tuple[str, Alias]:
    """Give the new version its share for so long; return a note of what was seen, and the alias as we left it.

    OperationFailed when it does worse than the old one: the alias then sends every call to the old version again, as
    after any other end of the watch (Ctrl-C, a lost connection).
    """
    since, moved = int(time.time() * 1000), None
    try:
        with interrupts_later():
            moved = _function.move_alias(aws, live.version, live, {version.version: percent})
        old, seen = _until(aws, (live.version, version.version), since, seconds, say)
        if seen.is_worse_than(old):
            raise OperationFailed(
                f"version {version.version} did worse than version {live.version}: {seen}, against {old}",
                f"the alias names version {live.version} alone again; look with make logs FOLLOW=0",
            )
    except BaseException:
        if moved:
            _function.move_alias(aws, live.version, moved)
        raise
    return f"canary {percent:g} % for {seconds:g} s: {seen}", moved


def _until(aws: Aws, versions: tuple[str, str], since_ms: int, seconds: float, say: Say) -> tuple[Seen, Seen]:
    """Look at the old and the new version again and again until the time is over, or the new one is worse."""
    end, last = time.monotonic() + seconds, None
    while True:
        old, seen = count(aws, versions, since_ms)
        if seen != last:
            say(f"version {versions[1]}: {seen}; {max(0.0, end - time.monotonic()):.0f} s left")
            last = seen
        if seen.is_worse_than(old) or time.monotonic() >= end:
            return old, seen
        time.sleep(min(PAUSE_S, max(0.0, end - time.monotonic())))


def count(aws: Aws, versions: tuple[str, ...], since_ms: int) -> tuple[Seen, ...]:
    """What the log tells of each version since a time."""
    try:
        events = {event.id: event for pattern in PATTERNS for event in _logs.read(aws, since_ms, pattern)}
    except NotFound:
        return tuple(Seen() for _ in versions)
    return tuple(_seen([e.message for e in events.values() if version_of(e.stream) == version]) for version in versions)


def _seen(lines: list[str]) -> Seen:
    """Count one version's lines."""
    return Seen(
        calls=sum(line.startswith("REPORT") for line in lines),
        failed=sum(bool(BROKEN.search(line)) for line in lines),
        jobs=sum(str((_logs.parsed(line) or {}).get("level")) == "ERROR" for line in lines),
    )


def version_of(stream: str) -> str:
    """The version that a log stream belongs to: `2026/11/25/[7]0f…` is of version 7."""
    found = STREAM.search(stream)
    return found["version"] if found else ""
