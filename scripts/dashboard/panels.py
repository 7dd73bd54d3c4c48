"""The list of panels, and how often each is read: more often on the local AWS, where calls are free."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import latency
from .board import Board, Source
from .connection import Connection, ReadOnly
from .function import deploys, read_function
from .jobs import count_jobs
from .journal import Journal
from .letters import read_letters
from .queues import QueueReader
from .results import ResultReader
from .shadow import read_reports
from .values import Latency, Troubles

# name, title, interval in seconds on the local AWS and on AWS, maximum calls per reading
PLAN = (
    ("queues", "Queues", 2, 10, 9),
    ("jobs", "Jobs by state", 4, 60, 9),
    ("function", "Function", 4, 20, 4),
    ("latency", "Latency", 4, 20, 5),
    ("troubles", "Errors by cause", 4, 20, 5),
    ("letters", "Dead letters", 4, 30, 5),
    ("results", "Latest results", 4, 20, 9),
    ("deploys", "Latest deploys", 10, 30, 3),
    ("shadow", "Shadow runs", 10, 60, 1),
)
CALLS = {name: calls for name, _, _, _, calls in PLAN}


def create_board(connection: Connection, clock: Callable[[], float] = time.time) -> Board:
    """Return the panels of a stage."""
    journal = Journal(clock)

    def durations(aws: ReadOnly) -> Latency:
        return latency.compute_latency(journal.read_lines(aws), int(clock() * 1000), journal.gap)

    def errors(aws: ReadOnly) -> Troubles:
        return latency.group_troubles(journal.read_lines(aws), journal.since_ms, journal.gap)

    readers: dict[str, Callable[[ReadOnly], object]] = {
        "queues": QueueReader(clock),
        "jobs": count_jobs,
        "function": read_function,
        "latency": durations,
        "troubles": errors,
        "letters": read_letters,
        "results": ResultReader(journal),
        "deploys": deploys,
        "shadow": read_reports,
    }
    local = connection.stage.is_local
    sources = [Source(name, title, readers[name], near if local else far) for name, title, near, far, _ in PLAN]
    return Board(connection, sources, clock)
