"""The demo's scenario: which job comes by which way, the sending, and what must hold at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import enqueue, invoke
from ._aws import Aws
from ._errors import OperationFailed
from ._page import Check, DeadLetter, Row
from ._seed import Job
from .invoke import Answer

POLL, FAN_OUT, EVENT_SOURCE = "manual poll", "fan-out", "event source"
POISON = "this is not a scoring job"
BATCH = 10
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Ways:
    """Job ids by the way they come in; `twice` are delivered a second time after all the others."""

    poll: str
    fan_out: tuple[str, ...]
    event_source: tuple[str, ...]
    twice: tuple[str, ...]

    def way(self, job: str) -> str:
        """The way by which a job comes."""
        again = ", twice" if job in self.twice else ""
        return (POLL if job == self.poll else FAN_OUT if job in self.fan_out else EVENT_SOURCE) + again


def divide(jobs: Sequence[str]) -> Ways:
    """One job by the manual poll, half through the event source, the rest by fan-out; one of each last two twice."""
    if len(jobs) < 4:
        raise ValueError(f"{len(jobs)} jobs are too few to show every way in: 4 are needed")
    half = len(jobs) // 2
    poll, fan_out, event_source = jobs[0], tuple(jobs[1 : len(jobs) - half]), tuple(jobs[len(jobs) - half :])
    return Ways(poll, fan_out, event_source, (fan_out[0], event_source[0]))


def receive(aws: Aws, queue_url: str, *, delete: bool = True, attributes: bool = False) -> list[dict[str, Any]]:
    """Every message that the queue gives now; deleted unless told otherwise."""
    client, found = aws.client("sqs"), {}
    names = ["All"] if attributes else []
    while got := client.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0, MessageAttributeNames=names
    ).get("Messages", []):
        found.update({message["MessageId"]: message for message in got})
        if delete:
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)]
            client.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return list(found.values())


def fan_out(aws: Aws, jobs: Sequence[str]) -> None:
    """Hand each job to the function in an invocation of its own, as a dispatcher does: receive, then invoke."""
    enqueue.send(aws, map(enqueue.body, jobs))
    queue_url = aws.queue_url(aws.stage.queues.request)
    left = len(jobs)
    while left:
        messages = receive(aws, queue_url, delete=False)
        if not messages:
            raise OperationFailed(f"{left} of {len(jobs)} messages are not in {queue_url}", "make status")
        for message in messages:
            event = {
                "source": "fanout",
                "message_body": message["Body"],
                "receipt_handle": message["ReceiptHandle"],
                "queue_url": queue_url,
            }
            answer = invoke.invoke(aws, event)
            if answer.exit_code:
                raise OperationFailed(f"the function answered {invoke.readable(answer.payload)}", "make logs FOLLOW=0")
            left -= 1


def poll(aws: Aws, job: str) -> Answer:
    """Send one job and let the function fetch it by itself, as `make invoke` does."""
    enqueue.send(aws, [enqueue.body(job)])
    answer = invoke.invoke(aws, {})
    if answer.exit_code:
        raise OperationFailed(f"the function answered {invoke.readable(answer.payload)}", "make logs FOLLOW=0")
    return answer


def through_event_source(aws: Aws, ways: Ways) -> None:
    """Send the jobs, the second deliveries and a poison, then let the queue feed the function until it is empty."""
    enqueue.send(aws, [*map(enqueue.body, (*ways.event_source, *ways.twice)), POISON])
    queue_url = aws.queue_url(aws.stage.queues.request)
    dead = aws.queue_url(aws.stage.queues.request_dead_letters)
    switch_event_source(aws, enabled=True)
    wait("scoring the queue's jobs", lambda: depth(aws, queue_url) == 0 and depth(aws, dead) > 0)


def switch_event_source(aws: Aws, enabled: bool) -> None:
    """Let the request queue feed the function, or stop it; return when that is so."""
    client, function = aws.client("lambda"), aws.stage.function
    found = client.list_event_source_mappings(FunctionName=f"{function.name}:{function.alias}")["EventSourceMappings"]
    if not found:
        raise OperationFailed(f"{function.name} has no event source mapping", "make infra-deploy")
    identity, wanted = found[0]["UUID"], "Enabled" if enabled else "Disabled"
    if found[0]["State"] != wanted:
        client.update_event_source_mapping(UUID=identity, Enabled=enabled)
        wait("the event source mapping", lambda: client.get_event_source_mapping(UUID=identity)["State"] == wanted)


def wait(what: str, done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until `done` says so; OperationFailed after `patience_s` seconds."""
    end = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > end:
            raise OperationFailed(f"{what}: not done after {patience_s:.0f} s", "make logs FOLLOW=0, make status")
        time.sleep(0.1)


def depth(aws: Aws, queue_url: str) -> int:
    """How many messages a queue holds: visible, being worked on, or delayed."""
    names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def job_of(table: str, record: dict[str, Any]) -> str:
    """The scoring job that a record belongs to."""
    return str(record["scoringJobId" if table == "ScoreResult" else "id"])


def dead_letters(aws: Aws, queue_url: str) -> tuple[DeadLetter, ...]:
    """The messages of a dead-letter queue with the reasons that the worker gave; they stay there."""
    found = receive(aws, queue_url, delete=False, attributes=True)
    for message in found:  # visible again for whoever looks next
        aws.client("sqs").change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return tuple(
        DeadLetter(m["Body"], m.get("MessageAttributes", {}).get("reason", {}).get("StringValue", "")) for m in found
    )


def rows(jobs: Sequence[Job], ways: Ways, records: dict[str, list[dict[str, Any]]]) -> tuple[Row, ...]:
    """Every job with its item, its result where there is one, and the label that a person gave."""
    states = {record["id"]: record for record in records["ScoringJob"]}
    results = {record["scoringJobId"]: record for record in records["ScoreResult"]}
    found = []
    for job in jobs:
        result = results.get(job.id, {})
        confidence = result.get("confidence")
        found.append(
            Row(
                item=job.item.id,
                text=job.item.text,
                score=job.score,
                way=ways.way(job.id),
                status=states.get(job.id, {}).get("status", "absent"),
                value=result.get("value", ""),
                confidence=None if confidence is None else float(confidence),
                explanation=result.get("explanation") or "",
                label=job.item.fields.get(job.score),
            )
        )
    return tuple(found)


def checks(
    jobs: Sequence[str],
    records: dict[str, list[dict[str, Any]]],
    responses: Sequence[str],
    letters: Sequence[DeadLetter],
    waiting: int,
) -> tuple[Check, ...]:
    """What must hold after the scenario: one effect for each job, and nothing lost."""
    states = Counter(record["status"] for record in records["ScoringJob"] if record["id"] in jobs)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    results = Counter(record["scoringJobId"] for record in records["ScoreResult"])
    ids = {record["id"] for record in records["ScoreResult"] if record["scoringJobId"] in jobs}
    once = sum(results[job] == 1 for job in jobs)
    return (
        Check("Every job is COMPLETED.", states == {"COMPLETED": len(jobs)}, f"{told or 'none'} of {len(jobs)}"),
        Check(
            "Every job has exactly one ScoreResult, duplicates included.", once == len(jobs), f"{once} of {len(jobs)}"
        ),
        Check(
            "The responses name each result, and nothing else.",
            set(responses) == ids,
            f"{len(responses)} responses, {len(set(responses))} distinct, {len(ids)} results",
        ),
        Check(
            "The poison is the only dead letter, with its reason.",
            [letter.body for letter in letters] == [POISON] and all(letter.reason for letter in letters),
            f"{len(letters)} in the dead-letter queue",
        ),
        Check("Nothing is left in the request queue.", waiting == 0, f"{waiting} messages"),
        Check("Nothing is left in the outbox.", not records["Outbox"], f"{len(records['Outbox'])} entries"),
    )
