"""Runs planned batches on the real image: makes their jobs and faults, invokes, and brings back what was named."""

from __future__ import annotations

import itertools
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts import _tables, enqueue
from scripts._items import Item
from scripts._seed import encode
from tests.faults.mixes import Batch, Fate, Planned
from tests.faults.sources import Source, make_source
from tests.faults.stage import SCORE, TEXT, Faulty

LANES = 4  # batches at once
WINDOW_S, SLOW_S = 2.0, 1.1  # an invocation's time for its jobs; too little of it is left after a slow call
POISON = "poison"


class Function(Protocol):
    """What a batch is given to."""

    def invoke(self, event: Any) -> Any:
        """The answer."""
        ...


@dataclass(frozen=True)
class Sent:
    """A planned record's message: its body, and the faults that bring it to its fate."""

    planned: Planned
    body: str
    job: str
    rules: tuple[dict[str, Any], ...] = ()


@dataclass
class Run:
    """A batch on its way: `ids` are its messages', `named` those of its answer, by their number in the plan."""

    batch: Batch
    sent: list[Sent]
    source: Source
    ids: list[str] = field(default_factory=list)
    named: list[int] = field(default_factory=list)

    def give(self, function: Function, numbers: Sequence[int]) -> list[int]:
        """Let the function work these records, and settle their messages as it says; what it names."""
        event = self.source.receive([self.ids[number] for number in numbers])
        answer = function.invoke(event)
        assert set(answer) == {"batchItemFailures"}, answer
        named = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        self.source.settle(event, set(named))
        return [self.ids.index(one) for one in named]


@dataclass
class Jobs:
    """Makes jobs of each fate; those that were done come again later."""

    stage: Faulty
    done: deque[str] = field(default_factory=deque)
    number: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        texts = [Item(uuid.uuid4().hex, text, {}) for text in (TEXT, " ")]
        made = enqueue.seed(self.stage.aws, self.stage.card, texts, [SCORE])
        records = {one["id"]: one for one in _tables.scan(self.stage.aws, "ScoringJob")}
        self.good, self.empty = (records[job.id] for job in made)

    def make(self, batch: Batch) -> Run:
        """The batch's jobs, messages and source."""
        sent = [self._record(record, number == batch.slow) for number, record in enumerate(batch.records)]
        run = Run(batch, sent, make_source(self.stage.aws, batch.is_fifo))
        run.ids = run.source.send([one.body for one in sent], [one.planned.group for one in sent])
        return run

    def _record(self, planned: Planned, is_slow: bool) -> Sent:
        fate, turn = planned.fate, next(self.number)
        if fate is Fate.LOST and turn % 3 and not is_slow:
            body = f"{POISON} {turn}" if turn % 3 == 1 else enqueue.body(f"{POISON} {turn}")
            return Sent(planned, body, "")
        if fate is Fate.AGAIN:
            job = self.done[0]
            self.done.rotate()
        else:
            job = self._put(fate)
        rules = [_slow(job)] if is_slow else []
        if fate is Fate.TRANSIENT:
            rules.append(_conflict(job, "TransactWriteItems" if is_slow or turn % 2 else "UpdateItem"))
        return Sent(planned, enqueue.body(job), job, tuple(rules))

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
    """A refusal that DynamoDB's client does not repeat by itself, and that is over by the next receive."""
    return {"operation": f"dynamodb.{operation}", "contains": job, "code": "TransactionConflictException"}


def work(stage: Faulty, runs: Sequence[Run], function: Function, lanes: int = LANES) -> None:
    """Give each batch to the function for the first time, a few at once, with their faults."""
    for start in range(0, len(runs), lanes):
        some = runs[start : start + lanes]
        stage.faults(*(rule for run in some for one in run.sent for rule in one.rules))
        with ThreadPoolExecutor(lanes) as pool:
            named = list(pool.map(lambda run: run.give(function, range(len(run.sent))), some))
        for run, numbers in zip(some, named, strict=True):
            run.named = numbers
    stage.faults()


def bring_back(runs: Sequence[Run], function: Function) -> None:
    """Give what was named once more, without faults; all of it goes."""
    waiting = [run for run in runs if run.named]
    with ThreadPoolExecutor(LANES) as pool:
        left = list(pool.map(lambda run: run.give(function, run.named), waiting))
    assert left == [[] for _ in waiting]
