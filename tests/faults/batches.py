"""Runs planned batches on the real image: creates their jobs and faults, invokes, and delivers failed records again."""

from __future__ import annotations

import itertools
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.aws import dynamodb
from scripts.jobs import sending
from scripts.jobs.item_files import Item
from scripts.jobs.seeding import encode
from tests.faults.mixes import Batch, Fate, Planned
from tests.faults.sources import Source, make_source
from tests.faults.stage import SCORE, TEXT, Faulty

LANES = 4  # batches at once
WINDOW_S, SLOW_S = 3.1, 2.2  # an invocation's time for its jobs; less than a second of it is left after a slow call
# An invocation as short as this proves that it met its plan: the worker begins a job while a second is left, so all
# records before the slow call had their turn; and it accepts a score until a second past the window.
IN_TIME_S = min(WINDOW_S - 1 + SLOW_S, WINDOW_S + 1)
TRIES = 12
POISON = "poison"


class Function(Protocol):
    """A function that processes batches."""

    def invoke(self, event: Any) -> Any:
        """Return the response to an event."""
        ...


@dataclass(frozen=True)
class Sent:
    """The message of a planned record: its body, and the faults that cause its outcome."""

    planned: Planned
    body: str
    job: str
    rules: tuple[dict[str, Any], ...] = ()


@dataclass
class Run:
    """A batch in progress: `ids` are those of its messages, `named` the numbers of the records in its response."""

    batch: Batch
    sent: list[Sent]
    source: Source
    ids: list[str] = field(default_factory=list)
    named: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def give(self, function: Function, numbers: Sequence[int]) -> list[int]:
        """Invoke the function with these records and settle their messages; returns the numbers that it named."""
        event = self.source.receive([self.ids[number] for number in numbers])
        began = time.monotonic()
        answer = function.invoke(event)
        self.seconds = time.monotonic() - began
        assert set(answer) == {"batchItemFailures"}, answer
        named = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        self.source.settle(event, set(named))
        return [self.ids.index(one) for one in named]


@dataclass
class Jobs:
    """Creates jobs for each outcome; completed ones are reused as duplicates."""

    stage: Faulty
    done: deque[str] = field(default_factory=deque)
    number: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        texts = [Item(uuid.uuid4().hex, text, {}) for text in (TEXT, " ")]
        jobs = sending.seed(self.stage.aws, self.stage.card, texts, [SCORE])
        records = {one["id"]: one for one in dynamodb.scan(self.stage.aws, "ScoringJob")}
        self.good, self.empty = (records[job.id] for job in jobs)

    def make(self, batch: Batch) -> Run:
        """Create the batch's jobs, messages and queue."""
        sent = [self._record(record, number == batch.slow) for number, record in enumerate(batch.records)]
        run = Run(batch, sent, make_source(self.stage.aws, batch.is_fifo))
        run.ids = run.source.send([one.body for one in sent], [one.planned.group for one in sent])
        return run

    def _record(self, planned: Planned, is_slow: bool) -> Sent:
        fate, turn = planned.fate, next(self.number)
        if fate is Fate.LOST and turn % 3 and not is_slow:
            body = f"{POISON} {turn}" if turn % 3 == 1 else sending.create_body(f"{POISON} {turn}")
            return Sent(planned, body, "")
        if fate is Fate.AGAIN:
            job = self.done[0]
            self.done.rotate()
        else:
            job = self._put(fate)
        rules = [_slow(job)] if is_slow else []
        if fate is Fate.TRANSIENT:
            rules.append(_conflict(job, "TransactWriteItems" if is_slow or turn % 2 else "UpdateItem"))
        return Sent(planned, sending.create_body(job), job, tuple(rules))

    def _put(self, fate: Fate) -> str:
        job = uuid.uuid4().hex
        record = {**(self.empty if fate is Fate.LOST else self.good), "id": job}
        if fate is Fate.FOREIGN:
            record["accountId"] = "another"
        self.stage.aws.client("dynamodb").put_item(
            TableName=self.stage.aws.stage.table("ScoringJob"), Item=encode(record)
        )
        self.stage.jobs.append(job)
        return job


def _slow(job: str) -> dict[str, Any]:
    return {"operation": "dynamodb.UpdateItem", "contains": job, "delay": SLOW_S}


def _conflict(job: str, operation: str) -> dict[str, Any]:
    """Return an error that DynamoDB's client does not retry by itself, and that is over by the next receive.

    It fails twice: after a transaction of several jobs the worker commits each by itself.
    """
    rule = {"operation": f"dynamodb.{operation}", "contains": job, "code": "TransactionConflictException"}
    return {**rule, "times": 2}


def work(stage: Faulty, runs: Sequence[Run], function: Function, lanes: int = LANES) -> None:
    """Deliver each batch for the first time, a few at once, with their faults."""
    for start in range(0, len(runs), lanes):
        some = runs[start : start + lanes]
        stage.faults(*(rule for run in some for one in run.sent for rule in one.rules))
        with ThreadPoolExecutor(lanes) as pool:
            named = list(pool.map(lambda run: run.give(function, range(len(run.sent))), some))
        for run, numbers in zip(some, named, strict=True):
            run.named = numbers
    stage.faults()


def work_in_time(stage: Faulty, jobs: Jobs, runs: Sequence[Run], function: Function, lanes: int) -> list[list[Run]]:
    """Work batches whose plan depends on time until each was given in time: [in time, in the order of `runs`], [late].

    How long an invocation takes depends on the machine. One that took longer than the plan allows says nothing about
    the worker: the same batch is made again with new jobs, and given alone. AssertionError after TRIES attempts.
    """
    work(stage, runs, function, lanes)
    result, late = list(runs), []
    for _ in range(TRIES):
        slow = [place for place, run in enumerate(result) if run.seconds >= IN_TIME_S]
        for place in slow:
            late.append(result[place])
            result[place] = jobs.make(result[place].batch)
            work(stage, [result[place]], function, 1)
        if not slow:
            return [result, late]
    raise AssertionError(f"in {TRIES} tries no invocation took less than {IN_TIME_S} s: this machine is too busy")


def bring_back(runs: Sequence[Run], function: Function) -> None:
    """Deliver the named records again, without faults; all of them are deleted."""
    waiting = [run for run in runs if run.named]
    with ThreadPoolExecutor(LANES) as pool:
        left = list(pool.map(lambda run: run.give(function, run.named), waiting))
    assert left == [[] for _ in waiting]
