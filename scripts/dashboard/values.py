"""What the panels hold: frozen values, without text of any item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._ledger import Entry

STATES = ("PENDING", "IN_PROGRESS", "COMPLETED", "FAILED")


@dataclass(frozen=True)
class Queue:
    """One queue: messages by what they do now, and the age of the oldest in seconds; None where nobody knows it."""

    name: str
    role: str
    visible: int = 0
    in_flight: int = 0
    delayed: int = 0
    oldest_s: float | None = None
    problem: str = ""

    @property
    def depth(self) -> int:
        """All its messages."""
        return self.visible + self.in_flight + self.delayed

    @property
    def holds_dead_letters(self) -> bool:
        """Whether a message in it is a trouble."""
        return "dead letters" in self.role


@dataclass(frozen=True)
class Queues:
    """The stage's four queues; `note` says why ages are not known."""

    queues: Sequence[Queue]
    note: str = ""

    @property
    def dead_letters(self) -> int:
        """The messages of both dead-letter queues."""
        return sum(queue.depth for queue in self.queues if queue.holds_dead_letters)


@dataclass(frozen=True)
class Function:
    """The function, and what its alias names; `shares` are percent of the calls by other version."""

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
        """Whether callers of the alias get an answer."""
        return bool(self.version) and self.state in ("Active", "Inactive") and self.last_update_status != "Failed"


@dataclass(frozen=True)
class Deploys:
    """The last changes of the alias, the newest first; `ledger` is False where only the versions tell them."""

    entries: Sequence[Entry]
    ledger: bool
    live: str


@dataclass(frozen=True)
class FailedJob:
    """A job that is FAILED, with the worker's reason."""

    id: str
    error: str
    at: str
    attempts: int


@dataclass(frozen=True)
class Jobs:
    """Jobs by state, of `seen` that were looked at; `lapsed` are IN_PROGRESS and nobody's any more.

    `complete` is False where the reading stopped at its limit: each number is then "at least", and `about` is
    DynamoDB's own count of the table, some hours old.
    """

    states: Mapping[str, int]
    lapsed: int
    seen: int
    complete: bool
    about: int | None = None
    failed: Sequence[FailedJob] = ()


@dataclass(frozen=True)
class Result:
    """One ScoreResult without explanation and trace, which may quote the text."""

    id: str
    scoring_job_id: str
    score: str
    value: str
    confidence: float | None
    cost: float | None
    at: str


@dataclass(frozen=True)
class Results:
    """The newest results, the newest first. `total` is None where the table is too large to count."""

    newest: Sequence[Result]
    total: int | None
    source: str


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter without its body."""

    id: str
    scoring_job_id: str
    reason: str
    sent: str


@dataclass(frozen=True)
class Letters:
    """Some of the dead letters of the request queue, of `depth`; `note` says why none were looked at."""

    letters: Sequence[DeadLetter]
    depth: int
    note: str = ""


@dataclass(frozen=True)
class Trouble:
    """Errors of one cause and fate: how many, when last (milliseconds since 1970), and the last one's words."""

    cause: str
    fate: str
    level: str
    count: int
    last_ms: int
    said: str
    scoring_job_id: str


@dataclass(frozen=True)
class Troubles:
    """What the log tells of errors, the latest first, since a time in milliseconds."""

    troubles: Sequence[Trouble]
    since_ms: int
    note: str = ""

    @property
    def errors(self) -> int:
        """How many need a person; warnings will be tried again."""
        return sum(one.count for one in self.troubles if one.level == "ERROR")


@dataclass(frozen=True)
class Bucket:
    """Durations of a stretch of time that starts at `at_ms`: how many, median and 99th percentile in ms."""

    at_ms: int
    count: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Latency:
    """Durations over time. `what` is jobs, or invocations where the worker tells no metrics."""

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


@dataclass(frozen=True)
class Panel:
    """One panel: its value, or why there is none. `read_at` is in seconds since 1970, 0 before the first reading."""

    name: str
    title: str
    value: Any = None
    problem: str = ""
    remedy: str = ""
    read_at: float = 0.0
    every_s: float = 0.0

    @property
    def is_read(self) -> bool:
        """Whether it holds what was asked for."""
        return self.value is not None and not self.problem


@dataclass(frozen=True)
class Snapshot:
    """All panels at one time (seconds since 1970)."""

    stage: str
    region: str
    function: str
    at: float
    panels: Mapping[str, Panel]

    @property
    def exit_code(self) -> int:
        """1 where a panel could not be read."""
        return int(not all(panel.is_read for panel in self.panels.values()))
