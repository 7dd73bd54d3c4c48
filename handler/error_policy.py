"""The error policy: what is done with the job and with the message, for each error.

docs/reference/errors.md shows the same table, and a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from handler import exceptions as handler
from plexus import exceptions as plexus


class JobEffect(StrEnum):
    """The change of the scoring job. Only the owner of its lease writes."""

    FAILED = "FAILED"  # permanently, with the reason
    PENDING = "PENDING"  # for another attempt; FAILED if the message was received for the last time
    UNTOUCHED = "untouched"


class MessageEffect(StrEnum):
    """The fate of the message."""

    CONSUMED = "consumed"  # deleted
    DEAD_LETTERED = "dead-lettered"  # immediately, with the reason
    RETRIED = "retried"  # after a jittered pause; at its last receive dead-lettered, with the reason
    RETURNED = "returned"  # without counting as a failure; at its last receive replaced by a fresh copy


@dataclass(frozen=True)
class Policy:
    """One row of the table.

    `status` is the status code with which a fan-out is answered. `quotable` says whether the error's message may be
    stored and logged; if not, only its class is.
    """

    cause: str
    errors: tuple[type[BaseException], ...]
    job: JobEffect
    message: MessageEffect
    status: int = 500
    quotable: bool = True


# The first policy whose errors match applies; the last one matches everything.
POLICIES: tuple[Policy, ...] = (
    Policy("invalid message body", (handler.InvalidMessage,), JobEffect.UNTOUCHED, MessageEffect.DEAD_LETTERED, 400),
    Policy("unknown job", (handler.UnknownJob,), JobEffect.UNTOUCHED, MessageEffect.DEAD_LETTERED, 404),
    Policy("unknown job status", (handler.UnknownStatus,), JobEffect.UNTOUCHED, MessageEffect.DEAD_LETTERED),
    Policy("job of another account", (handler.OtherAccount,), JobEffect.UNTOUCHED, MessageEffect.DEAD_LETTERED),
    Policy(
        "leased by another worker", (handler.JobLeased, handler.LeaseLost), JobEffect.UNTOUCHED, MessageEffect.RETURNED
    ),
    Policy("failed before", (handler.AlreadyFailed,), JobEffect.UNTOUCHED, MessageEffect.DEAD_LETTERED),
    Policy("ended its processes", (handler.EndedProcesses,), JobEffect.FAILED, MessageEffect.DEAD_LETTERED),
    Policy("risk at the last receive", (handler.LastReceive,), JobEffect.PENDING, MessageEffect.RETURNED),
    Policy("no time left to start", (handler.OutOfTime,), JobEffect.PENDING, MessageEffect.RETURNED),
    Policy("record of another account", (handler.ForeignRecord,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("result of another job", (handler.ForeignResult,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("missing or incomplete record", (handler.IncompleteJob,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("item without text", (plexus.ItemWithoutText,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy(
        "invalid scorecard",
        (plexus.InvalidScorecard, plexus.UnknownScore),
        JobEffect.FAILED,
        MessageEffect.CONSUMED,
    ),
    Policy("score not applicable", (plexus.NotApplicable,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("score disabled", (plexus.DisabledScore,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("AWS throttled, failed or timed out", (handler.Unavailable,), JobEffect.PENDING, MessageEffect.RETRIED),
    Policy("missing permission or resource", (handler.Misconfigured,), JobEffect.PENDING, MessageEffect.RETRIED),
    Policy("damaged S3 object", (handler.DamagedObject,), JobEffect.PENDING, MessageEffect.RETRIED),
    Policy("deadline exceeded", (plexus.DeadlineExceeded,), JobEffect.PENDING, MessageEffect.RETRIED),
    Policy("score ended by its limits", (plexus.ScoreEnded,), JobEffect.FAILED, MessageEffect.CONSUMED),
    Policy("fails again for the same item", plexus.FAILS_AGAIN, JobEffect.FAILED, MessageEffect.DEAD_LETTERED),
    Policy(
        "provider, expression, parser or validation failed",
        (plexus.ScoringFailed, plexus.PlexusError),
        JobEffect.PENDING,
        MessageEffect.RETRIED,
    ),
    Policy("result cannot be stored", (handler.InvalidResult,), JobEffect.PENDING, MessageEffect.RETRIED),
    Policy("unexpected error", (BaseException,), JobEffect.PENDING, MessageEffect.RETRIED, quotable=False),
)


def is_dead_lettered(error_message: str) -> bool:
    """Return whether a FAILED job's message is dead-lettered at once, by the class that its reason begins with."""
    name = error_message.partition(":")[0]
    return any(
        name == error.__name__
        for policy in POLICIES
        for error in policy.errors
        if policy.job is JobEffect.FAILED and policy.message is MessageEffect.DEAD_LETTERED
    )


def find_policy(error: BaseException) -> Policy:
    """Return the first policy whose errors include this one."""
    return next(policy for policy in POLICIES if isinstance(error, policy.errors))
