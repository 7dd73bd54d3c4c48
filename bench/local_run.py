"""A real run of many jobs on a local AWS of its own, and what it used: for bench/scale.py and the cost estimate.

python bench/local_run.py [--jobs N]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

NAME = "bench-scale"


@dataclass(frozen=True)
class Real:
    """Times in seconds, sizes in bytes and means. `first` are the longest invocations, one for each environment: they
    loaded what it needs; `later` are the others."""

    jobs: int
    batch: int
    at_once: int
    seconds: float
    first: list[float]
    later: list[float]
    log_bytes_per_job: float
    job_bytes: float
    item_bytes: float
    result_bytes: float


def measure(jobs: int) -> Real:
    """Send `jobs` jobs, a third for each example score, and let the queue feed the function until all are done."""
    with local_stage() as aws:
        from scripts.aws import event_source, queues
        from scripts.demo.steps import TRAINED
        from scripts.jobs import sending
        from scripts.jobs.seeding import read_card

        items = list(itertools.islice(_items(), jobs // 3))
        began_at = time.time()
        seeded = sending.seed(aws, read_card(TRAINED), items)
        sending.send(aws, [sending.create_body(job.id) for job in seeded])
        queue = aws.queue_url(aws.stage.queues.request)
        began = time.monotonic()
        event_source.switch_event_source(aws, enabled=True)
        event_source.wait("scoring", lambda: queues.count_messages(aws, queue) == 0)
        return read_run(aws, len(seeded), time.monotonic() - began, began_at)


def _items() -> Iterator[Any]:
    """Yield the example items endlessly, each time under another id."""
    from scripts.demo.steps import ITEMS
    from scripts.jobs.item_files import Item, read_items

    for turn in itertools.count():
        for item in read_items(ITEMS):
            yield Item(f"{item.id}-{turn}", item.text)


@contextmanager
def local_stage() -> Iterator[Any]:
    """Yield the clients of a local stage on an instance of its own: image deployed, event source disabled.

    The instance is stopped and its folder removed at the end.
    """
    os.environ["LOCAL_AWS_NAME"] = NAME
    from local_aws import control, instance
    from scripts.aws import event_source, resources
    from scripts.aws.clients import create_clients
    from scripts.aws.stage import load_stage
    from scripts.checkout.layout import read_local_image
    from scripts.demo.steps import CARD, TRAINED, run
    from scripts.images import push
    from scripts.release import deployment

    run("-m", "nix.build")
    run("-m", "plexus", "train", str(CARD), "--write", str(TRAINED))
    try:
        aws = create_clients(load_stage("local"), control.start(NAME).endpoint)
        image = read_local_image()
        resources.deploy(aws)
        push.push(aws, image)
        resources.deploy(aws)
        deployment.deploy(aws, image.digest, commit=image.revision)
        event_source.switch_event_source(aws, enabled=False)
        yield aws
    finally:
        control.stop(NAME)
        shutil.rmtree(instance.locate_folder(NAME), ignore_errors=True)


def read_run(aws: Any, jobs: int, seconds: float, began_at: float) -> Real:
    """Read the figures of a finished run from the log and the tables; AssertionError if a job was not completed."""
    from scripts.aws import dynamodb, logs
    from scripts.aws.report import parse_report

    events = logs.read(aws, int(began_at * 1000))
    reports = [report for event in events if (report := parse_report(event.message))]
    durations = sorted((report.duration_ms + (report.init_ms or 0)) / 1000 for report in reports)
    states = dynamodb.scan(aws, "ScoringJob")
    assert sum(record["status"] == "COMPLETED" for record in states) == jobs, "not every job was completed"
    source = aws.stage.event_source
    return Real(
        jobs=jobs,
        batch=source.batch_size,
        at_once=source.maximum_concurrency,
        seconds=seconds,
        first=durations[-source.maximum_concurrency :],
        later=durations[: -source.maximum_concurrency],
        log_bytes_per_job=sum(len(event.message.encode()) for event in events) / jobs,
        job_bytes=_size(states),
        item_bytes=_size(dynamodb.scan(aws, "Item")),
        result_bytes=_size(dynamodb.scan(aws, "ScoreResult")),
    )


def _size(records: list[dict[str, Any]]) -> float:
    """Return the records' mean size in bytes: approximately DynamoDB's, names and values as text."""
    return sum(len(json.dumps(record, default=str).encode()) for record in records) / len(records)


def main() -> int:
    """Run the jobs, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    real = asdict(measure(parser.parse_args().jobs))
    real |= {name: sorted(round(one, 3) for one in real[name]) for name in ("first", "later")}
    print(json.dumps(real, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
