"""The records of the tables as values, and the result's record made from what the engine returned."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from handler.exceptions import InvalidResult
from handler.values import Attributes, record
from plexus import Result

PENDING, IN_PROGRESS, COMPLETED, FAILED = "PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"
RESULT_TYPE = "prediction"
_RESULTS = uuid.UUID("6f0d3ab1-5c0e-5b54-9b0c-2f1a4c0be3d7")  # namespace of result ids; ours alone, never changed


def result_id(scoring_job_id: str) -> str:
    """The id of a scoring job's one result: the same for every worker that ever scores the job."""
    return str(uuid.uuid5(_RESULTS, scoring_job_id))


@dataclass(frozen=True)
class Job:
    """A scoring job as its record holds it; missing ids are empty."""

    id: str
    account_id: str = ""
    item_id: str = ""
    scorecard_id: str = ""
    score_id: str = ""
    status: str = PENDING
    lease_owner: str = ""
    lease_until: float = 0.0
    attempts: int = 0

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Job":
        """From a record's fields; external ids are not needed, the ids are enough."""
        return cls(
            id=str(fields["id"]),
            account_id=str(fields.get("accountId") or ""),
            item_id=str(fields.get("itemId") or ""),
            scorecard_id=str(fields.get("scorecardId") or ""),
            score_id=str(fields.get("scoreId") or ""),
            status=str(fields.get("status") or ""),
            lease_owner=str(fields.get("leaseOwner") or ""),
            lease_until=float(fields.get("leaseUntil") or 0),
            attempts=int(fields.get("attempts") or 0),
        )

    @property
    def result_id(self) -> str:
        """The id of this job's result."""
        return result_id(self.id)


@dataclass(frozen=True)
class Provenance:
    """Which records a result was made from."""

    job: Job
    score_id: str
    score_version_id: str


def result_record(result: Result, made_from: Provenance, now: str) -> Attributes:
    """The attributes of a ScoreResult; raises `InvalidResult` for what must not be stored as one."""
    _check(result)
    job = made_from.job
    usage = {"calls": result.usage.calls, "inputTokens": result.usage.input_tokens}
    return record(
        {
            "id": job.result_id,
            "value": result.value,
            "explanation": result.explanation,
            "confidence": result.confidence,
            "cost": result.cost,
            "trace": dict(result.trace) or None,
            "metadata": {"usage": usage | {"outputTokens": result.usage.output_tokens}},
            "code": result.code,
            "type": RESULT_TYPE,
            "status": COMPLETED,
            "itemId": job.item_id,
            "accountId": job.account_id,
            "scoringJobId": job.id,
            "scorecardId": job.scorecard_id,
            "scoreId": made_from.score_id,
            "scoreVersionId": made_from.score_version_id,
            "createdAt": now,
            "updatedAt": now,
            "typeScoreUpdatedAt": f"{RESULT_TYPE}#{made_from.score_id}#{now}",
            "configurationHash": result.configuration_hash,
            "engineVersion": result.engine_version,
            "model": result.model,
            "promptHash": result.prompt_hash,
        }
    )


def _check(result: Result) -> None:
    """A failure never becomes a value, nor does a number that is none."""
    if not isinstance(result.value, str) or not result.value:
        raise InvalidResult(f"the score's value is {_named(result.value)}, expected a string that is not empty")
    if result.code != "200":
        raise InvalidResult(f"the score's code is {_named(result.code)}, expected '200'")
    for name, number in (("confidence", result.confidence), ("cost", result.cost)):
        if number is not None and not _is_finite(number):
            raise InvalidResult(f"the score's {name} is not a finite number")


def _is_finite(number: object) -> bool:
    """Whether it is a number that a float can hold."""
    try:
        return isinstance(number, (int, float, Decimal)) and not isinstance(number, bool) and math.isfinite(number)
    except (OverflowError, ValueError):  # an integer of four hundred digits; a signalling NaN
        return False


def _named(value: object) -> str:
    """What a value is, without quoting it."""
    return "an empty string" if value == "" else f"a {type(value).__name__}"
