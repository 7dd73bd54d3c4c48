"""The steps of a job. A crash right after any of them must do no harm, and tests/faults/test_kills.py causes each."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Each step, with the AWS call that performs it. The values are also the names of X-Ray subsegments."""

    CLAIM = "claim"  # UpdateItem on ScoringJob: PENDING -> IN_PROGRESS, or an expired lease
    READ = "read"  # BatchGetItem
    SCORE = "score"  # no AWS call
    OFFLOAD = "offload"  # PutObject: a part of the result that is too large for its record
    COMMIT = "commit"  # TransactWriteItems: result, job, outbox
    RESPOND = "respond"  # SendMessageBatch to the response queue
    MARK = "mark"  # BatchWriteItem: delete the outbox entry
    DELETE = "delete"  # DeleteMessage, in direct invocations
    RENEW = "renew"  # UpdateItem: extend leaseUntil while a long job runs
    RELEASE = "release"  # UpdateItem: back to PENDING
    FAIL = "fail"  # UpdateItem: to FAILED, with the reason
    DEAD_LETTER = "dead_letter"  # SendMessage to the dead-letter queue
    REQUEUE = "requeue"  # SendMessage to the request queue: replace a message at its last receive
    HAND_BACK = "hand_back"  # ChangeMessageVisibilityBatch


Observer = Callable[[Step, str], None]
"""Called after each step with the ids, separated by commas, of the scoring jobs or of the message it was for."""


def ignore_step(step: Step, subject: str) -> None:
    """Do nothing; the observer in production."""
