"""The panel of dead letters, read without hiding a message from other receivers."""

from __future__ import annotations

from ..jobs import dead_letters
from .connection import ReadOnly
from .hygiene import sanitize
from .values import DeadLetter, Letters

LOOKS = 3  # a receive samples some of the queue's servers, so that one alone misses letters
BATCH = 10  # messages of a call; SQS's maximum
MOST_LETTERS = 10
_COUNTS = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]


def read_letters(aws: ReadOnly, window: bool = True) -> Letters:
    """Read some letters: two calls, and up to three receives with a visibility timeout of 0.

    A receive increments the message's receive count. A dead-letter queue with a redrive policy would act on that, so
    it is not read. The local AWS is peeked into instead, which counts nothing.
    """
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[*_COUNTS, "RedrivePolicy"])
    depth = sum(int(answer["Attributes"][name]) for name in _COUNTS)
    if "RedrivePolicy" in answer["Attributes"]:
        return Letters((), depth, "not listed: the queue has a redrive policy, and each receive would count towards it")
    peek = aws.peeking() if window else None
    by_id = _look(peek or aws, url, LOOKS if peek is None else 1) if depth else {}
    newest = sorted(by_id.values(), key=lambda one: one.sent, reverse=True)[:MOST_LETTERS]
    return Letters(newest, max(depth, len(by_id)))


def _look(aws: ReadOnly, url: str, times: int) -> dict[str, DeadLetter]:
    by_id: dict[str, DeadLetter] = {}
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
        if not fresh.keys() - by_id.keys():
            break
        by_id.update(fresh)
    return by_id


def _letter(message: dict[str, object]) -> DeadLetter:
    letter = dead_letters.parse_letter(message)
    return DeadLetter(letter.id, sanitize(letter.scoring_job_id or ""), sanitize(letter.reason), letter.sent)
