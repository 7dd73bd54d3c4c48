"""The steps after which a job's state outside this process has changed: where a crash must do no harm."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Each step, and the AWS operation that makes it; scoring alone changes nothing outside."""

    CLAIM = "claim"  # UpdateItem on ScoringJob: PENDING -> IN_PROGRESS, or an expired lease
    READ = "read"  # BatchGetItem
    SCORE = "score"  # no AWS call
    OFFLOAD = "offload"  # PutObject: a part of the result that is too large for its record
    COMMIT = "commit"  # TransactWriteItems: result, job, outbox
    RESPOND = "respond"  # SendMessageBatch to the response queue
    MARK = "mark"  # BatchWriteItem: the outbox entry goes
    DELETE = "delete"  # DeleteMessage, where the worker itself received the message
    RENEW = "renew"  # UpdateItem: a later leaseUntil, while a long job runs
    RELEASE = "release"  # UpdateItem: back to PENDING
    FAIL = "fail"  # UpdateItem: FAILED, with the reason
    DEAD_LETTER = "dead_letter"  # SendMessage to the dead-letter queue
    REQUEUE = "requeue"  # SendMessage to the request queue: another worker holds the job at our last receive
    HAND_BACK = "hand_back"  # ChangeMessageVisibilityBatch


Observer = Callable[[Step, str], None]
"""Told of each finished step and the scoring job (or message) that it was for."""


def unobserved(step: Step, subject: str) -> None:
    """The observer of production: nobody."""
