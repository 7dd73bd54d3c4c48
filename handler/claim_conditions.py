"""Which scoring jobs a worker may claim: the conditions of the update, and their values.

A record of the original worker has no lease. Its job is FAILED after each failed attempt although its message is
delivered again, and IN_PROGRESS from the start of an attempt, which ends after 300 s with its function. Only a claim of
this worker counts `attempts`, which distinguishes the two.
"""

from handler import attribute_values
from handler.attribute_values import Attributes
from handler.clock import format_timestamp
from handler.records import EXPIRES, FAILED, IN_PROGRESS, ORIGINAL_ATTEMPT, PENDING
from handler.settings import LONGEST_LEASE

CLAIM = (
    "SET #status = :to, leaseOwner = :token, leaseUntil = :until, startedAt = :now, updatedAt = :now "
    f"REMOVE {EXPIRES} ADD attempts :one, unfinishedClaims :one"
)
# DynamoDB compares texts with texts only; a `startedAt` of another type, or in the future, is not the start of one.
_ORIGINAL_ENDED = (
    "(attribute_not_exists(leaseUntil) AND "
    "(NOT attribute_type(startedAt, :string) OR startedAt < :ended OR :future < startedAt))"
)
_ORIGINAL_FAILED = "(#status = :failed AND attribute_exists(startedAt) AND attribute_not_exists(attempts))"
UNLEASED = (
    "accountId = :account AND (#status = :pending OR "
    f"{_ORIGINAL_FAILED} OR (#status = :to AND (leaseUntil < :stale OR {_ORIGINAL_ENDED})))"
)
REFUSED = (
    "the scoring job's record cannot be updated: got ValidationException, expected numbers in attempts and "
    "unfinishedClaims, and at most 400 KB; next: correct the record"
)
ODD_LEASE = "accountId = :account AND #status = :to AND leaseUntil = :odd"


def claim_values(account_id: str, token: str, now: float, until: float) -> Attributes:
    """Return the values of CLAIM, and of ODD_LEASE except for `:odd`; times are Unix seconds.

    `until` is when the lease ends if it is not renewed; it is stored as a number, rounded to milliseconds.
    """
    return {
        ":account": {"S": account_id},
        ":token": {"S": token},
        ":now": {"S": format_timestamp(now)},
        ":until": attribute_values.encode(round(until, 3)),
        ":to": {"S": IN_PROGRESS},
        ":one": {"N": "1"},
    }


def create_unleased_values(now: float, skew: float) -> Attributes:
    """Return the values that UNLEASED adds: a lease that ended more than `skew` seconds before `now` is over.

    `skew`, in seconds, is how far the clocks of two workers may differ. The original leases no jobs: its attempts
    count as ended ORIGINAL_ATTEMPT seconds after they started.
    """
    return {
        ":pending": {"S": PENDING},
        ":failed": {"S": FAILED},
        ":string": {"S": "S"},
        ":stale": attribute_values.encode(round(now - skew, 3)),
        ":ended": {"S": format_timestamp(now - skew - ORIGINAL_ATTEMPT)},
        ":future": {"S": format_timestamp(now + skew + LONGEST_LEASE)},
    }
