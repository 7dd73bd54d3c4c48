"""The result of processing one message: what happened to its job, and whether the message may be deleted."""

from dataclasses import dataclass
from enum import Enum

from handler.message import Message


class Disposition(Enum):
    """The state in which a message was left.

    RETRIED and RETURNED leave the message on the queue; every other disposition deletes it.
    """

    COMPLETED = "completed"
    DUPLICATE = "duplicate"  # the job was completed or failed by an earlier delivery
    FAILED = "failed"
    DEAD_LETTERED = "dead-lettered"
    REQUEUED = "requeued"  # replaced by a fresh copy of the message
    RETRIED = "retried"
    RETURNED = "returned"

    @property
    def deletes_message(self) -> bool:
        """Whether the message may be deleted from its queue."""
        return self not in (Disposition.RETRIED, Disposition.RETURNED)


@dataclass(frozen=True)
class ScoreNames:
    """The scorecard and the score of a job: their names and the ids of their records."""

    scorecard: str
    scorecard_id: str
    score: str
    score_id: str


@dataclass(frozen=True)
class JobStats:
    """Resources that one job used: seconds from claim to commit, model usage, and `cost` in US dollars.

    `is_unpriced` says that models were called whose cost is unknown; `cost` is 0 then. `names` is None unless the job
    was scored.
    """

    seconds: float = 0.0
    provider_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    is_unpriced: bool = False
    cached_tokens: int = 0
    names: ScoreNames | None = None


@dataclass(frozen=True)
class MessageOutcome:
    """How processing one message ended.

    `cause` is the `cause` of the error policy that was applied, and None if there was no error. `status` is the
    HTTP-style status code with which a fan-out invocation is answered.
    """

    message: Message
    disposition: Disposition
    scoring_job_id: str | None = None
    cause: str | None = None
    error: str | None = None
    status: int = 200
    detail: str = "processed"
    stats: JobStats | None = None
