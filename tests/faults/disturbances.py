"""The parts of a soak: killers, hot partitions, failing calls, a FIFO queue; and the memory that it watches."""

from __future__ import annotations

import json
import random
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from handler import attribute_values
from local_aws import processes
from scripts.aws import dynamodb, queues
from scripts.jobs import sending
from scripts.jobs.item_files import Item
from tests.faults.sources import Source, make_source
from tests.faults.stage import SCORE, Faulty

BATCH = 10
ERRORS = 0.05
HOT_CALLS = 4  # throttled writes of a hot job: one more than a client's attempts
GROUPS = 12
VISIBILITY_S = 15
SAMPLED_S = 1.0
TOO_LARGE = 48_000_000  # characters of four bytes each in memory
CALLS = ("dynamodb.UpdateItem", "dynamodb.BatchGetItem", "dynamodb.TransactWriteItems", "sqs.SendMessageBatch")


@dataclass
class Watched:
    """The stage with a FIFO queue, and the memory of its environments: (seconds, MB) of the median one.

    Not of the largest: a job that ends its process takes all memory first.
    """

    stage: Faulty
    fifo: str
    samples: list[tuple[float, int]] = field(default_factory=list)

    def depth(self) -> int:
        """Return the number of messages in both queues, and sample the memory once a second: the kernel sums it up."""
        now = time.monotonic()
        if not self.samples or now - self.samples[-1][0] >= SAMPLED_S:
            sizes = [
                sum(map(processes.read_proportional_kib, each["pids"])) // 1024 for each in self.stage.environments()
            ]
            self.samples.append((now, round(statistics.median(sizes or [0]))))
        return self.stage.depth() + queues.count_messages(self.stage.aws, self.fifo)

    def memory(self) -> tuple[int, int]:
        """Return the median of these megabytes in the first and in the last quarter of the time."""
        began, ended = self.samples[0][0], self.samples[-1][0]
        quarter = (ended - began) / 4
        first = [size for at, size in self.samples if at <= began + quarter]
        last = [size for at, size in self.samples if at >= ended - quarter]
        return round(statistics.median(first)), round(statistics.median(last))


@contextmanager
def mapped_fifo(stage: Faulty) -> Iterator[Source]:
    """Map a FIFO queue to the function's alias while the block runs."""
    source = make_source(stage.aws, fifo=True)
    function, client = stage.aws.stage.function, stage.aws.client("lambda")
    stage.aws.client("sqs").set_queue_attributes(
        QueueUrl=source.url, Attributes={"VisibilityTimeout": str(VISIBILITY_S)}
    )
    mapping = client.create_event_source_mapping(
        EventSourceArn=source.arn,
        FunctionName=f"{function.name}:{function.alias}",
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    try:
        yield source
    finally:
        client.delete_event_source_mapping(UUID=mapping["UUID"])


def group(number: int) -> str:
    """Return the FIFO group of the job with that number."""
    return f"group-{number % GROUPS}"


def throttle_transactions(jobs: Sequence[str]) -> list[dict[str, Any]]:
    """Return the faults of hot partitions: the first transactions with one of these jobs are throttled."""
    code = "ProvisionedThroughputExceededException"
    return [
        {"operation": "dynamodb.TransactWriteItems", "contains": job, "code": code, "times": HOT_CALLS} for job in jobs
    ]


def create_killers(stage: Faulty, count: int) -> list[str]:
    """Create jobs of one item whose text does not fit into the function's memory; returns their ids."""
    if not count:
        return []
    text = "\N{RECEIPT}".ljust(TOO_LARGE, "x")
    (jobs,) = sending.seed(stage.aws, stage.card, [Item(uuid.uuid4().hex, text, {})], [SCORE])
    (first,) = (one for one in dynamodb.scan(stage.aws, "ScoringJob") if one["id"] == jobs.id)
    ids = [jobs.id, *(uuid.uuid4().hex for _ in range(count - 1))]
    for job in ids[1:]:
        record = attribute_values.record({**first, "id": job})
        stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=record)
    return ids


def patient_policy(stage: Faulty) -> str:
    """Return a redrive policy with which only the worker dead-letters messages, since kills count as receives too."""
    sqs, names = stage.aws.client("sqs"), stage.aws.stage.queues
    url = stage.aws.queue_url(names.request)
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    return json.dumps({**json.loads(policy), "maxReceiveCount": 1000})


def transient_errors(chance: random.Random, jobs: int) -> list[dict[str, Any]]:
    """Return transient errors at random calls, half of them before and half after the call takes effect."""
    kinds = ({"code": "ThrottlingException"}, {"when": "after", "status": 500})
    return [
        {"operation": chance.choice(CALLS), "skip": chance.randrange(20), **chance.choice(kinds)}
        for _ in range(round(ERRORS * jobs))
    ]
