"""The dead letters of the request queue with their reasons, looked at without hiding one from others."""

from __future__ import annotations

from .. import _dead_letters
from .connection import ReadOnly
from .hygiene import shown
from .values import DeadLetter, Letters

LOOKS = 3
BATCH = 10
_COUNTS = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]


def letters(aws: ReadOnly) -> Letters:
    """Look at some letters: two calls, and up to three receives that hide nothing where there are any.

    A receive counts on the letter, which a queue with a redrive policy of its own would act on: there none is made.
    """
    client, url = aws.client("sqs"), aws.queue_url(aws.stage.queues.request_dead_letters)
    told = client.get_queue_attributes(QueueUrl=url, AttributeNames=[*_COUNTS, "RedrivePolicy"])["Attributes"]
    depth = sum(int(told[name]) for name in _COUNTS)
    if "RedrivePolicy" in told:
        return Letters((), depth, "the queue has a redrive policy of its own: looking would bring letters nearer to it")
    found: dict[str, DeadLetter] = {}
    for _ in range(LOOKS if int(told[_COUNTS[0]]) else 0):
        got = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=0,
            WaitTimeSeconds=0,
            MessageAttributeNames=["reason"],
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        ).get("Messages", [])
        fresh = {message["MessageId"]: _letter(message) for message in got}
        if not fresh.keys() - found.keys():
            break
        found.update(fresh)
    return Letters(sorted(found.values(), key=lambda one: one.sent, reverse=True), max(depth, len(found)))


def _letter(message: dict[str, object]) -> DeadLetter:
    one = _dead_letters.letter(message)
    return DeadLetter(one.id, shown(one.scoring_job_id or ""), shown(one.reason), one.sent, one.receives)
