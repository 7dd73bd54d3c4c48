"""Send scoring jobs to the request queue: new ones for items, or existing ones by id."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..aws.clients import Aws
from ..console.errors import NotFound, OperationFailed
from ..console.progress import Progress, no_progress
from . import seeding
from .item_files import Item
from .seeding import Card, Job, publish_artifacts, seed_jobs

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10  # messages of a call; SQS's maximum
PENDING = "PENDING"


@dataclass(frozen=True)
class EnqueueResult:
    """The sent jobs; `passed` counts by status the jobs that were not sent because they are no longer PENDING.

    Sending again under the same `run` sends only jobs that are still PENDING.
    """

    run: str
    jobs: int
    scores: tuple[str, ...]
    items: int
    action: str = "sent"
    passed: dict[str, int] = field(default_factory=dict)


def create_body(job_id: str) -> str:
    """Return the message body for a job."""
    return json.dumps({"scoring_job_id": job_id})


def seed(aws: Aws, card: Card, items: Sequence[Item], scores: Sequence[str] = (), run: str = "") -> list[Job]:
    """Publish the scorecard's artifacts and write the records of its jobs; return the jobs without sending them."""
    publish_artifacts(aws, card)
    return seed_jobs(aws, card, items, card.names(scores), run or uuid.uuid4().hex)


def send(aws: Aws, bodies: Iterable[str], sent: Callable[[int], None] = lambda _: None) -> int:
    """Send messages to the request queue in batches of ten; return how many. OperationFailed if SQS rejects one.

    `sent` is called with the number of each batch after SQS has accepted it. The batches before a rejected one stay
    sent; to send a message twice is harmless, since a job is scored once.
    """
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request)
    waiting = list(bodies)
    for start in range(0, len(waiting), BATCH):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(n), "MessageBody": text} for n, text in enumerate(waiting[start : start + BATCH])
        ]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            reason = f"{failed[0].get('Code')}: {failed[0].get('Message')}"
            raise OperationFailed(
                f"{url} rejected {len(failed)} messages: {reason}", "run it again with the same --run"
            )
        sent(len(entries))
    return len(waiting)


def enqueue_items(
    aws: Aws, items: Sequence[Item], card: Card, names: Sequence[str], run: str, progress: Progress = no_progress
) -> EnqueueResult:
    """Write the records of a job for each item and score, and send the jobs that are PENDING.

    Idempotent under the same `run`: jobs that exist are not reset, and those no longer PENDING are not sent.
    """
    publish_artifacts(aws, card)
    with progress("writing jobs", len(items) * len(names)) as advance:
        jobs = [job.id for job in seed_jobs(aws, card, items, names, run, advance)]
    sent, skipped = _send_pending(aws, jobs, seeding.read_states(aws, jobs), progress)
    return EnqueueResult(run, sent, tuple(names), len(items), passed=skipped)


def enqueue_jobs(
    aws: Aws, ids: Sequence[str], *, dry_run: bool = False, progress: Progress = no_progress
) -> EnqueueResult:
    """Send existing jobs that are PENDING. NotFound lists all that do not exist, and then none is sent.

    Jobs in another state are counted and skipped. A dry run reads the states, and sends nothing.
    """
    states = seeding.read_states(aws, ids)
    if absent := [identity for identity in ids if identity not in states]:
        listed = "".join(f"\n  - {identity}" for identity in absent[:20])
        more = f"\n  - and {len(absent) - 20} more" if len(absent) > 20 else ""
        raise NotFound(
            f"{len(absent)} of {len(ids)} jobs do not exist in stage {aws.stage.name}:{listed}{more}",
            "remove them from the file; nothing was sent",
        )
    if dry_run:
        return EnqueueResult(
            "", sum(state == PENDING for state in states.values()), (), 0, "would send", _count_skipped(states)
        )
    sent, skipped = _send_pending(aws, ids, states, progress)
    return EnqueueResult("", sent, (), 0, passed=skipped)


def _count_skipped(states: dict[str, str]) -> dict[str, int]:
    return dict(Counter(state for state in states.values() if state != PENDING))


def _send_pending(
    aws: Aws, ids: Sequence[str], states: dict[str, str], progress: Progress
) -> tuple[int, dict[str, int]]:
    pending = [identity for identity in ids if states.get(identity) == PENDING]
    with progress("sending", len(pending)) as advance:
        return send(aws, map(create_body, pending), advance), _count_skipped(states)
