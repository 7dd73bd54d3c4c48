"""The values of the panels; none contains an item's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..aws.ledger import Entry
from ..jobs.shadow_reports import ShadowReport

STATES = ("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED")


@dataclass(frozen=True)
class Queue:
    """A queue: its messages by state, and the oldest one's age in seconds; None if it is unknown."""

    name: str
    role: str
    visible: int = 0
    in_flight: int = 0
    delayed: int = 0
    oldest_s: float | None = None
    problem: str = ""

    @property
    def depth(self) -> int:
        """The number of all messages."""
        return self.visible + self.in_flight + self.delayed

    @property
    def holds_dead_letters(self) -> bool:
        """Whether this is a dead-letter queue, which should be empty."""
        return "dead letters" in self.role


@dataclass(frozen=True)
class Queues:
    """The stage's four queues; `note` is the reason for unknown ages."""

    queues: Sequence[Queue]
    note: str = ""

    @property
    def dead_letters(self) -> int:
        """The number of messages in both dead-letter queues."""
        return sum(queue.depth for queue in self.queues if queue.holds_dead_letters)


@dataclass(frozen=True)
class Function:
    """The function and its alias; `shares` has the percentage of calls to other versions."""

    name: str
    alias: str
    state: str
    last_update_status: str
    reason: str
    version: str
    digest: str
    commit: str
    modified: str
    memory_mb: int
    timeout_s: int
    shares: Mapping[str, float] = field(default_factory=dict)
    event_source: str = "none"

    @property
    def is_well(self) -> bool:
        """Whether the alias can be invoked."""
        return bool(self.version) and self.state in ("Active", "Inactive") and self.last_update_status != "Failed"


@dataclass(frozen=True)
class Deploys:
    """The alias's last changes, newest first; `ledger` is False if they come from the versions' descriptions."""

    entries: Sequence[Entry]
    ledger: bool
    live: str


@dataclass(frozen=True)
class FailedJob:
    """A FAILED job and the worker's reason."""

    id: str
    error: str
    at: str
    attempts: int


@dataclass(frozen=True)
class Jobs:
    """Jobs by state, among the `seen` jobs that were scanned; `lapsed` counts IN_PROGRESS jobs that no worker runs.

    `complete` is False if the scan stopped at its limit. Each number is then a lower bound, and `about` is DynamoDB's
    own count of the table, which may be hours old.
    """

    states: Mapping[str, int]
    lapsed: int
    seen: int
    complete: bool
    about: int | None = None
    failed: Sequence[FailedJob] = ()


@dataclass(frozen=True)
class Result:
    """A ScoreResult without explanation and trace, which may quote the item's text."""

    id: str
    scoring_job_id: str
    score: str
    value: str
    confidence: float | None
    cost: float | None
    at: str


@dataclass(frozen=True)
class Results:
    """The latest results, newest first. `total` is None if the table is too large to count."""

    newest: Sequence[Result]
    total: int | None
    source: str


@dataclass(frozen=True)
class Shadow:
    """The last shadow runs, newest first; `stored` is False if the stage has no table for their reports."""

    reports: Sequence[ShadowReport]
    stored: bool


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter without its body."""

    id: str
    scoring_job_id: str
    reason: str
    sent: str


@dataclass(frozen=True)
class Letters:
    """Some of the `depth` dead letters of the request queue; `note` is the reason if none was read."""

    letters: Sequence[DeadLetter]
    depth: int
    note: str = ""


@dataclass(frozen=True)
class Trouble:
    """Errors with the same cause and outcome: their count, the latest one's time (ms since 1970) and message."""

    cause: str
    fate: str
    level: str
    count: int
    last_ms: int
    said: str
    scoring_job_id: str


@dataclass(frozen=True)
class Served:
    """A version's invocations in the last hour, how many failed, and whether the last one did."""

    version: str
    calls: int
    failed: int
    last_failed: bool

    @property
    def is_broken(self) -> bool:
        """Whether at least half of the calls failed, the last one included."""
        return self.last_failed and 2 * self.failed >= self.calls


@dataclass(frozen=True)
class Troubles:
    """Errors in the log since a time in milliseconds since 1970, and the invocations of each version."""

    troubles: Sequence[Trouble]
    since_ms: int
    note: str = ""
    versions: Sequence[Served] = ()

    @property
    def errors(self) -> int:
        """The number of errors; warnings are retried by themselves and not counted."""
        return sum(one.count for one in self.troubles if one.level == "ERROR")


@dataclass(frozen=True)
class Bucket:
    """Durations in a step that starts at `at_ms`: count, median and 99th percentile in milliseconds."""

    at_ms: int
    count: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Latency:
    """Durations over time; `what` is jobs, or invocations if the log has no metrics.

    `failed` has the number of failed invocations by the start of their step, in milliseconds since 1970.
    """

    what: str
    start_ms: int
    step_ms: int
    steps: int
    buckets: Sequence[Bucket]
    count: int
    p50: float | None
    p99: float | None
    invocations: int
    cold_starts: int
    note: str = ""
    failed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    """A panel: its value, or its problem. `read_at` is in seconds since 1970, 0 before the first reading."""

    name: str
    title: str
    value: Any = None
    problem: str = ""
    remedy: str = ""
    read_at: float = 0.0
    every_s: float = 0.0

    @property
    def is_read(self) -> bool:
        """Whether the last reading succeeded."""
        return self.value is not None and not self.problem


@dataclass(frozen=True)
class Snapshot:
    """All panels at a time, in seconds since 1970."""

    stage: str
    region: str
    function: str
    at: float
    panels: Mapping[str, Panel]

    @property
    def exit_code(self) -> int:
        """1 if a panel could not be read."""
        return int(not all(panel.is_read for panel in self.panels.values()))
