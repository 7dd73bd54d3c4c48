"""Jobs per second of bench/worker.py's contestants, and where the time of a job alone goes."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import worker_contestants as contestants
from bench.local_run import NAME

FLOOR, FLOOR_10, POWERTOOLS, OURS = "bare loop", "bare loop, ten threads", "Powertools", "our worker"
MAKERS: dict[str, Callable[[contestants.Stage], contestants.Handle]] = {
    FLOOR: lambda stage: contestants.floor(stage, 1),
    FLOOR_10: lambda stage: contestants.floor(stage, 10),
    POWERTOOLS: contestants.powertools,
    OURS: contestants.ours,
}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Throughput:
    """One contestant with batches of one size: the best round's jobs per second; calls and bytes for one job.

    `here` and `server` are milliseconds of processor time for one job, of this process and of the local AWS: the least
    of all rounds, which other work on the machine changes less than the rates.
    """

    name: str
    batch: int
    jobs_per_s: float
    calls: float
    sent: float
    received: float
    here: float
    server: float


@dataclass(frozen=True)
class Call:
    """One kind of call of one contestant's jobs alone: how many a job, and medians in milliseconds.

    `client` is processor time in this process: serializing, signing, reading the answer. `waiting` is the rest: the
    local AWS, and what else ran.
    """

    name: str
    operation: str
    number: float
    client: float
    waiting: float


class Race:
    """All contestants on one stage, in alternating rounds; `driver` counts the receives and deletes."""

    def __init__(self, aws: Any, jobs: int, rounds: int, say: Say):
        from scripts.demo.steps import TRAINED
        from scripts.jobs.seeding import read_card

        self.aws, self.jobs, self.rounds, self.say = aws, jobs, rounds, say
        self.card, self.numbers = read_card(TRAINED), itertools.count()
        _idempotency_table(aws, contestants.IDEMPOTENCY)
        self.made = {name: (its := self._stage(), make(its)) for name, make in MAKERS.items()}
        self.driver = contestants.Count()
        self.receiver = self.driver.watch(aws.client("sqs", attempts=3))

    def run(self) -> tuple[list[Throughput], list[Call]]:
        """Race with batches of ten and of one; return the throughputs, and the calls of single jobs."""
        output = [each for batch in (10, 1) for each in self._with(batch)]
        turns = self.jobs * (self.rounds + 1)
        calls = measure_calls("all", self.driver, turns * len(self.made))
        for name in (FLOOR, POWERTOOLS, OURS):
            calls += measure_calls(name, self.made[name][0].count, turns)
        return output, calls

    def _stage(self) -> contestants.Stage:
        aws, names = self.aws, self.aws.stage.queues
        return contestants.Stage(
            aws.endpoint,
            aws.stage.region,
            aws.stage.tables.prefix,
            aws.queue_url(names.request),
            aws.queue_url(names.response),
            aws.stage.account_key,
            self.card.scorecard,
        )

    def _ready(self) -> list[str]:
        """Write new items and their jobs; return the jobs' ids."""
        from scripts.jobs import sending
        from scripts.jobs.item_files import Item

        items = [Item(f"bench-{next(self.numbers)}", "Where is my refund?", {}) for _ in range(self.jobs)]
        return [job.id for job in sending.seed(self.aws, self.card, items, [contestants.SCORE])]

    def _with(self, batch: int) -> list[Throughput]:
        for count in (self.driver, *(its.count for its, _ in self.made.values())):
            count.seconds.clear()  # only those of the last size are reported
        times: dict[str, list[tuple[float, ...]]] = {name: [] for name in self.made}
        for turn in range(self.rounds + 1):  # the first round warms up and is not reported
            for name in self.made:
                output = self._turn(name, batch)
                self.say(f"batches of {batch}, round {turn}, {name}: {output[0]:.0f} jobs/s")
                if turn:
                    times[name].append(output)
        return [
            Throughput(name, batch, max(rate), calls[-1], sent[-1], received[-1], min(here), min(server))
            for name, turns in times.items()
            for rate, calls, sent, received, here, server in [tuple(zip(*turns, strict=True))]
        ]

    def _turn(self, name: str, batch: int) -> tuple[float, ...]:
        """Return jobs per second, then for each job: calls, bytes sent and received, processor ms here and of AWS."""
        (its, handle), work = self.made[name], self._ready()
        before = (*its.count.totals(), *processor_ms())
        seconds = drive(self.aws, self.receiver, handle, work, batch)
        after = (*its.count.totals(), *processor_ms())
        return self.jobs / seconds, *((new - old) / self.jobs for new, old in zip(after, before, strict=True))


def processor_ms() -> tuple[float, float]:
    """Return the processor time in ms so far of this process, and of the local AWS."""
    from local_aws import control

    running = control.find(NAME)
    assert running is not None
    fields = Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * time.process_time(), 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_calls(name: str, count: Any, jobs: int) -> list[Call]:
    """Return the counted calls of a contestant per job, with the medians of their times."""
    calls = []
    for operation, seconds in count.seconds.items():
        client, whole = (1000 * statistics.median(column) for column in zip(*seconds, strict=True))
        calls.append(Call(name, operation, len(seconds) / jobs, client, whole - client))
    return calls


def drive(aws: Any, client: Any, handle: Callable[[dict[str, Any]], set[str]], jobs: list[str], batch: int) -> float:
    """Return the seconds from the first receive to the last delete; SystemExit if a message fails."""
    from scripts.jobs import sending
    from tests.faults.sources import record

    names = aws.stage.queues
    url, left = aws.queue_url(names.request), len(jobs)
    arn = f"arn:aws:sqs:{aws.stage.region}:{aws.stage.account}:{names.request}"
    sending.send(aws, [sending.create_body(job) for job in jobs])
    began = time.perf_counter()
    while left:
        answer = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=batch, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        back = handle({"Records": [record(message, arn) for message in messages]}) if messages else set()
        if back:
            raise SystemExit(f"{len(back)} of {len(messages)} messages were not worked off")
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
        if entries:
            client.delete_message_batch(QueueUrl=url, Entries=entries)
        left -= len(messages)
    took = time.perf_counter() - began
    aws.client("sqs").purge_queue(QueueUrl=aws.queue_url(names.response))
    return took


def _idempotency_table(aws: Any, name: str) -> None:
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
