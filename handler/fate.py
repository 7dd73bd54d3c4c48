"""The error → fate table: what becomes of the job and of the message, for each thing that can go wrong.

docs/errors.md shows the same table, and a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from handler import exceptions as ours
from plexus import exceptions as plexus


class JobFate(StrEnum):
    """What is written to the scoring job, by the owner of its lease only."""

    FAILED = "FAILED"  # for good, with the reason
    PENDING = "PENDING"  # again; FAILED where the message was received for the last time
    UNTOUCHED = "untouched"


class MessageFate(StrEnum):
    """What becomes of the message."""

    CONSUMED = "consumed"
    DEAD_LETTERED = "dead-lettered"  # at once, with the reason
    RETRIED = "retried"  # after a jittered pause; dead-lettered with the reason at its last receive
    RETURNED = "returned"  # without blame; at its last receive a fresh copy takes its place


@dataclass(frozen=True)
class Fate:
    """One row. `status` answers a fan-out; `quotable` says that the error's message may be stored and logged."""

    cause: str
    errors: tuple[type[BaseException], ...]
    job: JobFate
    message: MessageFate
    status: int = 500
    quotable: bool = True


# The first row whose errors match applies; the last one matches everything.
TABLE: tuple[Fate, ...] = (
    Fate("body is no request", (ours.InvalidMessage,), JobFate.UNTOUCHED, MessageFate.DEAD_LETTERED, 400),
    Fate("unknown job", (ours.UnknownJob,), JobFate.UNTOUCHED, MessageFate.DEAD_LETTERED, 404),
    Fate("job in an unknown status", (ours.UnknownStatus,), JobFate.UNTOUCHED, MessageFate.DEAD_LETTERED),
    Fate("another worker holds the job", (ours.JobLeased, ours.LeaseLost), JobFate.UNTOUCHED, MessageFate.RETURNED),
    Fate("no time left to start", (ours.OutOfTime,), JobFate.PENDING, MessageFate.RETURNED),
    Fate("another account's job", (ours.OtherAccount,), JobFate.FAILED, MessageFate.CONSUMED),
    Fate("a record is missing or incomplete", (ours.IncompleteJob,), JobFate.FAILED, MessageFate.CONSUMED),
    Fate("item without text", (plexus.ItemWithoutText,), JobFate.FAILED, MessageFate.CONSUMED),
    Fate(
        "invalid scorecard",
        (plexus.InvalidScorecard, plexus.UnknownScore),
        JobFate.FAILED,
        MessageFate.CONSUMED,
    ),
    Fate("not applicable", (plexus.NotApplicable,), JobFate.FAILED, MessageFate.CONSUMED),
    Fate("disabled score", (plexus.DisabledScore,), JobFate.FAILED, MessageFate.CONSUMED),
    Fate("AWS throttled, failed or was slow", (ours.Unavailable,), JobFate.PENDING, MessageFate.RETRIED),
    Fate("rights or resources are missing", (ours.Misconfigured,), JobFate.PENDING, MessageFate.RETRIED),
    Fate("an S3 object is damaged", (ours.DamagedObject,), JobFate.PENDING, MessageFate.RETRIED),
    Fate("deadline passed", (plexus.DeadlineExceeded,), JobFate.PENDING, MessageFate.RETRIED),
    Fate(
        "provider, processor, parser or validation failed",
        (plexus.ScoringFailed, plexus.PlexusError),
        JobFate.PENDING,
        MessageFate.RETRIED,
    ),
    Fate("result cannot be stored", (ours.InvalidResult,), JobFate.PENDING, MessageFate.RETRIED),
    Fate("anything else", (BaseException,), JobFate.PENDING, MessageFate.RETRIED, quotable=False),
)


def of(error: BaseException) -> Fate:
    """The row that applies to an error."""
    return next(row for row in TABLE if isinstance(error, row.errors))
