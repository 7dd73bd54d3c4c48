"""The local stage with the real image, short leases, and methods that inject faults."""

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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from local_aws import control, instance
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import dynamodb, event_source, invocation, queues, resources
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from scripts.checkout.layout import read_local_image
from scripts.demo import scenario
from scripts.demo.steps import CARD, TRAINED
from scripts.images import push
from scripts.jobs import sending
from scripts.jobs.dead_letters import Letter, held_letters
from scripts.jobs.item_files import Item
from scripts.jobs.seeding import Card, read_card
from scripts.release import configuration, deployment

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
"""With these settings a killed worker's job is taken over within seconds instead of minutes."""


@dataclass
class Faulty:
    """The stage; `jobs` are those that a test has created."""

    running: Instance
    aws: Aws
    card: Card
    jobs: list[str] = field(default_factory=list)

    def job(self, text: str = TEXT) -> str:
        """Create a PENDING job of the keyword score; returns its id."""
        (jobs,) = sending.seed(self.aws, self.card, [Item(uuid.uuid4().hex, text, {})], [SCORE])
        self.jobs.append(jobs.id)
        return jobs.id

    def send(self, bodies: Iterable[str]) -> None:
        """Send messages to the request queue."""
        sending.send(self.aws, bodies)

    def poll(self) -> Any:
        """Invoke the manual poll; returns the response, or the error's text if the environment died."""
        return invocation.invoke(self.aws, {}).payload

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the faults."""
        ask(self.running, "/_local_aws/faults", list(rules))

    def list_faults(self) -> list[dict[str, Any]]:
        """Return the faults, including those that are used up."""
        results: list[dict[str, Any]] = ask(self.running, "/_local_aws/faults")
        return results

    def environments(self) -> list[dict[str, Any]]:
        """Return the live execution environments."""
        results: list[dict[str, Any]] = ask(self.running, "/_local_aws/status")["environments"]
        return results

    def kill(self, identity: str | None = None) -> int:
        """`kill -9` one execution environment, or all; returns how many were killed."""
        return len(ask(self.running, "/_local_aws/environments/kill", {"id": identity} if identity else {}))

    def depth(self) -> int:
        """Return the number of messages in the request queue, including those in flight."""
        return queues.count_messages(self.aws, self.aws.queue_url(self.aws.stage.queues.request))

    def drain(self, limit_s: float = 240) -> None:
        """Poll until the request queue is empty; a killed worker's message is visible again after its timeout."""
        end = time.monotonic() + limit_s
        while self.depth():
            assert time.monotonic() < end, f"{self.depth()} messages are left after {limit_s} s"
            self.poll()

    def forget(self) -> None:
        """Remove all faults and messages before the next test."""
        self.faults()
        names = self.aws.stage.queues
        for name in (names.request, names.response, names.request_dead_letters):
            self.aws.client("sqs").purge_queue(QueueUrl=self.aws.queue_url(name))
        self.jobs.clear()

    def records(self, table: str) -> list[dict[str, Any]]:
        """Return the records of a table that belong to this test's jobs."""
        return [one for one in dynamodb.scan(self.aws, table) if scenario.find_job(table, one) in self.jobs]

    def responses(self) -> list[str]:
        """Empty the response queue; returns every score_result_id."""
        messages = queues.receive(self.aws, self.aws.queue_url(self.aws.stage.queues.response))
        return [json.loads(message["Body"])["score_result_id"] for message in messages]

    def letters(self) -> list[Letter]:
        """Return the dead letters without deleting them."""
        with held_letters(self.aws) as result:
            return list(result)

    def broken(self) -> list[str]:
        """Return the violations for jobs that must be completed: one effect each, nothing lost, nothing left over."""
        results = dynamodb.scan(self.aws, "ScoreResult")
        return violations(self.jobs, self.records("ScoringJob"), results, self.records("Outbox"), self.responses())


def violations(
    jobs: Sequence[str],
    states: list[dict[str, Any]],
    results: list[dict[str, Any]],
    outbox: list[dict[str, Any]],
    responses: Sequence[str],
) -> list[str]:
    """Return every violated invariant, with the jobs that violate it.

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
    ends = {one["id"]: " ".join(filter(None, [one["status"], one.get("errorMessage")])) for one in states}
    result = [f"{job} {rule} ({ends.get(job)})" for rule, breaks in rules.items() for job in jobs if breaks(job)]
    result += [f"the response {one} names no result" for one in sorted(answers - set(ids.values()))]
    result += [f"{one['id']} is left in the outbox" for one in outbox]
    return result


@contextmanager
def real_stage(name: str, memory_mb: int | None = None) -> Iterator[Faulty]:
    """Build, start an instance, deploy and configure short leases; no event source invokes the function.

    The function has the stage's memory, unless another size is given.
    """
    name = f"test-{os.getpid()}-{name}"
    for command in (["-m", "nix.build"], ["-m", "plexus", "train", str(CARD), "--write", str(TRAINED)]):
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    try:
        running, image = control.start(name, reach="*"), read_local_image()  # a proxy comes later
        stage = load_stage("local")
        if memory_mb is not None:
            stage = replace(stage, function=replace(stage.function, memory_mb=memory_mb))
        aws = Aws(stage, running.endpoint)
        resources.deploy(aws)
        push.push(aws, image)
        resources.deploy(aws)
        deployment.deploy(aws, image.digest, commit=image.revision)
        configuration.configure(aws, extra=QUICK)
        event_source.switch_event_source(aws, enabled=False)
        set_queue(aws, VisibilityTimeout=str(VISIBILITY_S))
        yield Faulty(running, aws, read_card(TRAINED))
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


def set_queue(aws: Aws, **attributes: str) -> None:
    """Set attributes of the request queue."""
    url = aws.queue_url(aws.stage.queues.request)
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=cast(Any, attributes))
