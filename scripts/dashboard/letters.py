"""The dead letters of the request queue with their reasons, looked at without hiding one from others."""

from __future__ import annotations

from .. import _dead_letters
from .connection import ReadOnly
from .hygiene import shown
from .values import DeadLetter, Letters

LOOKS = 3
BATCH = 10
SHOWN = 10
_COUNTS = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]


def letters(aws: ReadOnly, window: bool = True) -> Letters:
    """Look at some letters: two calls, and up to three receives that hide nothing where there are any.

    A receive counts on the letter, which a queue with a redrive policy of its own would act on: there none is made.
    The local AWS has a window that counts nothing, unless told not to use it.
    """
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    told = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[*_COUNTS, "RedrivePolicy"])
    depth = sum(int(told["Attributes"][name]) for name in _COUNTS)
    if "RedrivePolicy" in told["Attributes"]:
        return Letters((), depth, "the queue has a redrive policy of its own: looking would bring letters nearer to it")
    peeking = aws.peeking() if window else None
    found = _look(peeking or aws, url, LOOKS if peeking is None else 1) if depth else {}
    newest = sorted(found.values(), key=lambda one: one.sent, reverse=True)[:SHOWN]
    return Letters(newest, max(depth, len(found)))


def _look(aws: ReadOnly, url: str, times: int) -> dict[str, DeadLetter]:
    found: dict[str, DeadLetter] = {}
    for _ in range(times):
        got = aws.client("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=0,
            WaitTimeSeconds=0,
            MessageAttributeNames=["reason"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        fresh = {message["MessageId"]: _letter(message) for message in got.get("Messages", [])}
        if not fresh.keys() - found.keys():
            break
        found.update(fresh)
    return found


def _letter(message: dict[str, object]) -> DeadLetter:
    one = _dead_letters.letter(message)
    return DeadLetter(one.id, shown(one.scoring_job_id or ""), shown(one.reason), one.sent)
