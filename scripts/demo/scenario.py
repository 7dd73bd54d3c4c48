"""The demo's scenario: how each job is delivered, and the checks of the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..aws import event_source, invocation, queues
from ..aws.clients import Aws
from ..aws.invocation import Invocation
from ..console.errors import OperationFailed
from ..jobs import sending
from ..jobs.dead_letters import parse_letter
from ..jobs.seeding import Job
from .report_page import Check, DeadLetter, Row

POLL, FAN_OUT, EVENT_SOURCE = "manual poll", "fan-out", "event source"
POISON = "this is not a scoring job"


@dataclass(frozen=True)
class Deliveries:
    """Job ids by delivery; those in `duplicates` are delivered again after all others."""

    poll: str
    fan_out: tuple[str, ...]
    event_source: tuple[str, ...]
    duplicates: tuple[str, ...]

    def find_delivery(self, job: str) -> str:
        """Return how a job is delivered, for people."""
        again = " (duplicate)" if job in self.duplicates else ""
        return (POLL if job == self.poll else FAN_OUT if job in self.fan_out else EVENT_SOURCE) + again


def divide(jobs: Sequence[str]) -> Deliveries:
    """Deliver one job by manual poll, half by event source, the rest by fan-out; one of the last two each twice.

    ValueError for fewer than four jobs.
    """
    if len(jobs) < 4:
        raise ValueError(f"got {len(jobs)} jobs, expected at least 4: one for each delivery")
    half = len(jobs) // 2
    poll, fan_out, event_source = jobs[0], tuple(jobs[1 : len(jobs) - half]), tuple(jobs[len(jobs) - half :])
    return Deliveries(poll, fan_out, event_source, (fan_out[0], event_source[0]))


def fan_out(aws: Aws, jobs: Sequence[str]) -> None:
    """Receive each job's message and pass it to the function in an invocation of its own, as a dispatcher does.

    The function deletes each message. Messages that are no longer found after an empty receive raise OperationFailed.
    """
    sending.send(aws, map(sending.create_body, jobs))
    queue_url = aws.queue_url(aws.stage.queues.request)
    remaining = len(jobs)
    while remaining:
        messages = queues.receive(aws, queue_url, delete=False)
        if not messages:
            raise OperationFailed(f"{queue_url}: {remaining} of {len(jobs)} messages are missing", "make status")
        for message in messages:
            event = {
                "source": "fanout",
                "message_body": message["Body"],
                "receipt_handle": message["ReceiptHandle"],
                "queue_url": queue_url,
            }
            _invoke(aws, event)
            remaining -= 1


def poll(aws: Aws, job: str) -> Invocation:
    """Send one job and invoke the function with `{}`, so that it polls the queue itself."""
    sending.send(aws, [sending.create_body(job)])
    return _invoke(aws, {})


def _invoke(aws: Aws, event: dict[str, Any]) -> Invocation:
    answer = invocation.invoke(aws, event)
    if answer.exit_code:
        payload = invocation.format_payload(answer.payload)
        raise OperationFailed(f"the function answered {payload}", "make logs FOLLOW=0")
    return answer


def send_through_event_source(aws: Aws, deliveries: Deliveries) -> None:
    """Send the jobs, the duplicates and a poison message; enable the event source until the queue is empty.

    The event source stays enabled: the stage has it so. OperationFailed after the limit of `event_source.wait`.
    """
    sending.send(aws, [*map(sending.create_body, (*deliveries.event_source, *deliveries.duplicates)), POISON])
    queue_url = aws.queue_url(aws.stage.queues.request)
    dead = aws.queue_url(aws.stage.queues.request_dead_letters)
    event_source.switch_event_source(aws, enabled=True)
    event_source.wait(
        "scoring the queue's jobs",
        lambda: queues.count_messages(aws, queue_url) == 0 and queues.count_messages(aws, dead) > 0,
    )


def find_job(table: str, record: dict[str, Any]) -> str:
    """Return the scoring job of a record."""
    return str(record["scoringJobId" if table == "ScoreResult" else "id"])


def read_dead_letters(aws: Aws, queue_url: str) -> tuple[DeadLetter, ...]:
    """Return the messages of a dead-letter queue with the worker's reasons, without deleting them."""
    messages = queues.receive(aws, queue_url, delete=False, attributes=True)
    for message in messages:  # visible again at once, for the next receiver
        aws.client("sqs").change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return tuple(DeadLetter(m["Body"], parse_letter(m).reason) for m in messages)


def list_rows(jobs: Sequence[Job], deliveries: Deliveries, records: dict[str, list[dict[str, Any]]]) -> tuple[Row, ...]:
    """Return each job with its item, its result and its label.

    In the order of `jobs`. A job without a record has the status `absent`.
    """
    states = {record["id"]: record for record in records["ScoringJob"]}
    results = {record["scoringJobId"]: record for record in records["ScoreResult"]}
    listed = []
    for job in jobs:
        result = results.get(job.id, {})
        confidence, label = result.get("confidence"), job.item.metadata.get(job.score)
        listed.append(
            Row(
                item=job.item.id,
                text=job.item.text,
                score=job.score,
                delivery=deliveries.find_delivery(job.id),
                status=states.get(job.id, {}).get("status", "absent"),
                value=result.get("value", ""),
                confidence=None if confidence is None else float(confidence),
                explanation=result.get("explanation") or "",
                label=None if label is None else str(label),
            )
        )
    return tuple(listed)


def list_checks(
    jobs: Sequence[str],
    records: dict[str, list[dict[str, Any]]],
    responses: Sequence[str],
    letters: Sequence[DeadLetter],
    waiting: int,
) -> tuple[Check, ...]:
    """Return the checks after the scenario: exactly one effect for each job, and nothing lost.

    Only records and responses of `jobs` count; earlier demos' are ignored. `waiting` is the number of messages in the
    request queue.
    """
    states = Counter(record["status"] for record in records["ScoringJob"] if record["id"] in jobs)
    summary = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    results = Counter(record["scoringJobId"] for record in records["ScoreResult"])
    ids = {record["id"] for record in records["ScoreResult"] if record["scoringJobId"] in jobs}
    once = sum(results[job] == 1 for job in jobs)
    return (
        Check("every job is COMPLETED", states == {"COMPLETED": len(jobs)}, f"{summary or 'none'} of {len(jobs)}"),
        Check(
            "every job has exactly one ScoreResult, duplicates included", once == len(jobs), f"{once} of {len(jobs)}"
        ),
        Check(
            "the responses name every result, and nothing else",
            set(responses) == ids,
            f"{len(responses)} responses, {len(set(responses))} distinct, {len(ids)} results",
        ),
        Check(
            "the poison message is the only dead letter, with its reason",
            [letter.body for letter in letters] == [POISON] and all(letter.reason for letter in letters),
            f"{len(letters)} in the dead-letter queue",
        ),
        Check("the request queue is empty", waiting == 0, f"{waiting} messages"),
        Check("the outbox is empty", not records["Outbox"], f"{len(records['Outbox'])} entries"),
    )
