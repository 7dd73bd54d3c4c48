"""The local stage with the real image, quick leases, and the means to break it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_aws import control, instance
from local_aws.instance import Instance
from local_aws.status import ask
from scripts import _scenario, _tables, configure, deploy, enqueue, infra, invoke, push
from scripts._aws import Aws, load_stage
from scripts._dead_letters import Letter, held
from scripts._image import local_image
from scripts._items import Item
from scripts._seed import Card, read_card
from scripts.demo import CARD, TRAINED

ROOT = Path(__file__).resolve().parents[2]
SCORE = "Mentions Refund"
TEXT = "Where is my refund?"
LEASE_S, SKEW_S = 2.0, 0.5
VISIBILITY_S = 4
QUICK = {
    "PLEXUS_LEASE_SECONDS": str(LEASE_S),
    "PLEXUS_CLOCK_SKEW_SECONDS": str(SKEW_S),
    "PLEXUS_RETRY_BASE_SECONDS": "0.5",
    "PLEXUS_POLL_SECONDS": "1",
}
"""A worker that takes a killed one's job over in seconds instead of minutes."""


@dataclass
class Faulty:
    """The stage; `jobs` are those that a test has made."""

    running: Instance
    aws: Aws
    card: Card
    jobs: list[str] = field(default_factory=list)

    def job(self, text: str = TEXT) -> str:
        """A new PENDING job of the keyword score."""
        (made,) = enqueue.seed(self.aws, self.card, [Item(uuid.uuid4().hex, text, {})], [SCORE])
        self.jobs.append(made.id)
        return made.id

    def send(self, bodies: Iterable[str]) -> None:
        """Put messages into the request queue."""
        enqueue.send(self.aws, bodies)

    def poll(self) -> Any:
        """Let the function take one message; its answer, or the error's text when the environment died."""
        return invoke.invoke(self.aws, {}).payload

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults."""
        ask(self.running, "/_local_aws/faults", list(rules))

    def left(self) -> list[dict[str, Any]]:
        """The faults that are left, used up ones too."""
        found: list[dict[str, Any]] = ask(self.running, "/_local_aws/faults")
        return found

    def environments(self) -> list[dict[str, Any]]:
        """The live execution environments."""
        found: list[dict[str, Any]] = ask(self.running, "/_local_aws/status")["environments"]
        return found

    def kill(self, identity: str | None = None) -> int:
        """`kill -9` one execution environment, or all; how many were hit."""
        return len(ask(self.running, "/_local_aws/environments/kill", {"id": identity} if identity else {}))

    def depth(self) -> int:
        """Messages in the request queue, those in work too."""
        return _scenario.depth(self.aws, self.aws.queue_url(self.aws.stage.queues.request))

    def drain(self, limit_s: float = 240) -> None:
        """Poll until the request queue is empty; what a killed worker held comes back when its time is over."""
        end = time.monotonic() + limit_s
        while self.depth():
            assert time.monotonic() < end, f"{self.depth()} messages are left after {limit_s} s"
            self.poll()

    def forget(self) -> None:
        """No faults, no messages: the next test begins."""
        self.faults()
        names = self.aws.stage.queues
        for name in (names.request, names.response, names.request_dead_letters):
            self.aws.client("sqs").purge_queue(QueueUrl=self.aws.queue_url(name))
        self.jobs.clear()

    def records(self, table: str) -> list[dict[str, Any]]:
        """The records of a table that belong to this test's jobs."""
        return [one for one in _tables.scan(self.aws, table) if _scenario.job_of(table, one) in self.jobs]

    def responses(self) -> list[str]:
        """Every score_result_id in the response queue, which is emptied."""
        messages = _scenario.receive(self.aws, self.aws.queue_url(self.aws.stage.queues.response))
        return [json.loads(message["Body"])["score_result_id"] for message in messages]

    def letters(self) -> list[Letter]:
        """The dead letters, which stay."""
        with held(self.aws) as found:
            return list(found)

    def broken(self) -> list[str]:
        """What does not hold for jobs that must be scored: one effect each, nothing lost, nothing left over."""
        results = _tables.scan(self.aws, "ScoreResult")
        return violations(self.jobs, self.records("ScoringJob"), results, self.records("Outbox"), self.responses())


def violations(
    jobs: Sequence[str],
    states: list[dict[str, Any]],
    results: list[dict[str, Any]],
    outbox: list[dict[str, Any]],
    responses: Sequence[str],
) -> list[str]:
    """Every invariant that does not hold, with the jobs that break it.

    `results` are all that the table holds: an answer that was held back may come in the next test.
    """
    status = {one["id"]: one["status"] for one in states}
    count = Counter(one["scoringJobId"] for one in results)
    answers, ids = set(responses), {one["scoringJobId"]: one["id"] for one in results}
    rules: dict[str, Callable[[str], bool]] = {
        "is not COMPLETED": lambda job: status.get(job) != "COMPLETED",
        "has not exactly one ScoreResult": lambda job: count[job] != 1,
        "has no response": lambda job: ids.get(job) not in answers,
    }
    found = [f"{job} {rule} ({status.get(job)})" for rule, breaks in rules.items() for job in jobs if breaks(job)]
    found += [f"the response {one} names no result" for one in sorted(answers - set(ids.values()))]
    found += [f"{one['id']} is left in the outbox" for one in outbox]
    return found


@contextmanager
def real_stage(name: str) -> Iterator[Faulty]:
    """Build, start an instance, deploy, configure quick leases; nothing feeds the function by itself."""
    name = f"test-{os.getpid()}-{name}"
    for command in (["nix/build.py"], ["-m", "plexus", "train", str(CARD), "--write", str(TRAINED)]):
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    try:
        running, image = control.start(name), local_image()
        aws = Aws(load_stage("local"), running.endpoint)
        infra.deploy(aws)
        push.push(aws, image)
        infra.deploy(aws)
        deploy.deploy(aws, image.digest, commit=image.revision)
        configure.configure(aws, extra=QUICK)
        _scenario.switch_event_source(aws, enabled=False)
        set_queue(aws, VisibilityTimeout=str(VISIBILITY_S))
        yield Faulty(running, aws, read_card(TRAINED))
    finally:
        control.stop(name)
        shutil.rmtree(instance.folder(name), ignore_errors=True)


def set_queue(aws: Aws, **attributes: str) -> None:
    """Set attributes of the request queue."""
    url = aws.queue_url(aws.stage.queues.request)
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
