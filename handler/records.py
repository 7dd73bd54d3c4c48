"""The scoring job's record as a value, and the result's record built from what the engine returned."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from handler.attribute_values import Attributes, record
from handler.exceptions import ForeignResult, InvalidResult
from handler.message import is_possible_id
from plexus import Result

PENDING, IN_PROGRESS, COMPLETED, FAILED = "PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"
RESULT_TYPE = "prediction"
EXPIRES = "expiresAt"  # the attribute that DynamoDB's time to live reads, in Unix seconds
#: Seconds after which an attempt of the original worker has ended: the timeout of its function and of its queue.
ORIGINAL_ATTEMPT = 300.0
# The namespace of result ids. It must never change: a worker with another one would store a second result for a job.
_NAMESPACE = uuid.UUID("6f0d3ab1-5c0e-5b54-9b0c-2f1a4c0be3d7")


def derive_result_id(scoring_job_id: str) -> str:
    """Return the id of a scoring job's only result, which is the same for every worker that ever scores the job."""
    return str(uuid.uuid5(_NAMESPACE, scoring_job_id))


@dataclass(frozen=True)
class Job:
    """A scoring job's record. Missing ids are empty; `lease_until` is in Unix seconds, and 0 if it is not a number.

    `started` is when the latest attempt began, in Unix seconds, and 0 if that is not known.
    `unfinished_claims` counts this claim and, before it, those in a row that recorded no outcome.
    """

    id: str
    account_id: str = ""
    item_id: str = ""
    scorecard_id: str = ""
    score_id: str = ""
    status: str = PENDING
    lease_owner: str = ""
    lease_until: float = 0.0
    started: float = 0.0
    attempts: int = 0
    unfinished_claims: int = 0
    error_message: str = ""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Job":
        """Build a job from the fields of its record; only `id` is required.

        Fields that are missing become empty, or 0; what a job needs is checked when it is claimed.
        """
        return cls(
            id=str(fields["id"]),
            account_id=str(fields.get("accountId") or ""),
            item_id=str(fields.get("itemId") or ""),
            scorecard_id=str(fields.get("scorecardId") or ""),
            score_id=str(fields.get("scoreId") or ""),
            status=str(fields.get("status") or ""),
            lease_owner=str(fields.get("leaseOwner") or ""),
            lease_until=_number(fields, "leaseUntil"),
            started=_time(fields, "startedAt"),
            attempts=int(_number(fields, "attempts")),
            unfinished_claims=int(_number(fields, "unfinishedClaims")),
            error_message=str(fields.get("errorMessage") or ""),
        )

    @property
    def result_id(self) -> str:
        """The id of this job's result."""
        return derive_result_id(self.id)

    @property
    def busy_until(self) -> float:
        """When the attempt in progress must have ended, in Unix seconds: the original worker writes no lease."""
        return self.lease_until or self.started + ORIGINAL_ATTEMPT


@dataclass(frozen=True)
class OutboxEntry:
    """A committed result whose response may not have been sent; `created` is in Unix seconds."""

    scoring_job_id: str
    score_result_id: str
    created: float

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "OutboxEntry":
        """Build an entry from the fields of its record; only `id` is required: the result's id follows from it.

        So it does for an id that no record can have: SQS would refuse the responses that are sent with such a one.
        """
        job_id, result = str(fields["id"]), fields.get("scoreResultId")
        return cls(
            job_id,
            result if isinstance(result, str) and result and is_possible_id(result) else derive_result_id(job_id),
            _number(fields, "created"),
        )


def create_outbox_record(job: Job, now: str, wall: float) -> Attributes:
    """Return the attributes of a job's outbox entry; `now` is a timestamp, `wall` the same moment in Unix seconds."""
    ids = {"id": job.id, "accountId": job.account_id or None, "scoreResultId": job.result_id}
    return record({**ids, "createdAt": now, "created": round(wall, 3)})


@dataclass(frozen=True)
class Provenance:
    """The records from which a result was made."""

    job: Job
    score_id: str
    score_version_id: str


def create_result_fields(result: Result, provenance: Provenance, now: str) -> dict[str, Any]:
    """Return the fields of a ScoreResult; raises `InvalidResult` if the result must not be stored.

    `now` is a timestamp in the format of the records.
    """
    _check(result)
    job = provenance.job
    return {
        "id": job.result_id,
        "value": result.value,
        "explanation": result.explanation,
        "confidence": result.confidence,
        "cost": result.cost,
        "trace": dict(result.trace) or None,
        "metadata": {"usage": {_camel_case(name): count for name, count in result.usage.as_dict().items()}},
        "code": result.code,
        "type": RESULT_TYPE,
        "status": COMPLETED,
        "itemId": job.item_id,
        "accountId": job.account_id,
        "scoringJobId": job.id,
        "scorecardId": job.scorecard_id,
        "scoreId": provenance.score_id,
        "scoreVersionId": provenance.score_version_id,
        "createdAt": now,
        "updatedAt": now,
        "typeScoreUpdatedAt": f"{RESULT_TYPE}#{provenance.score_id}#{now}",
        "configurationHash": result.configuration_hash,
        "engineVersion": result.engine_version,
        "model": result.model,
        "promptHash": result.prompt_hash,
    }


def _camel_case(name: str) -> str:
    """Return a field's name as the records spell it: `input_tokens` is inputTokens."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def check_adoptable(job: Job, result: Mapping[str, Any]) -> None:
    """Raise `ForeignResult` unless an existing result is of the job's account, item, scorecard and score."""
    wanted = {"accountId": job.account_id, "itemId": job.item_id, "scorecardId": job.scorecard_id}
    if job.score_id:
        wanted["scoreId"] = job.score_id
    if other := [name for name, value in wanted.items() if result.get(name) != value]:
        raise ForeignResult(
            f"ScoreResult {job.result_id} exists with another {' and '.join(other)}: the job was made again under the "
            "same id; next: give each new job an id of its own"
        )


def _number(fields: Mapping[str, Any], name: str) -> float:
    """Return a field's number, also one that another writer stored as text; 0 for anything else."""
    try:
        number = float(fields.get(name) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _time(fields: Mapping[str, Any], name: str) -> float:
    """Return a timestamp as Unix seconds, in UTC unless it has an offset; 0 for anything else."""
    try:
        time = datetime.fromisoformat(str(fields.get(name) or ""))
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _check(result: Result) -> None:
    """Raise `InvalidResult` for a missing value, a failure's code, or a confidence or cost that is not finite."""
    if not isinstance(result.value, str) or not result.value:
        raise InvalidResult(f"the score's value is {_type_of(result.value)}, expected a non-empty string")
    if result.code != "200":
        raise InvalidResult(f"the score's code is {_type_of(result.code)}, expected '200'")
    for name, number in (("confidence", result.confidence), ("cost", result.cost)):
        if number is not None and not _is_finite(number):
            raise InvalidResult(f"the score's {name} is not a finite number")


def _is_finite(number: object) -> bool:
    """Return whether it is a number that a float can represent."""
    try:
        return isinstance(number, (int, float, Decimal)) and not isinstance(number, bool) and math.isfinite(number)
    except (OverflowError, ValueError):  # an integer of 400 digits; a signalling NaN
        return False


def _type_of(value: object) -> str:
    """Describe a value without quoting it."""
    return "an empty string" if value == "" else f"a {type(value).__name__}"
