"""A shadow run: scores a job's item as the worker would, and returns the result instead of storing it.

It makes no claim, writes no record, sends no message and stores no large field, so that it may run beside the worker
that owns the jobs, and on jobs of any status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handler import error_policy, redact
from handler.direct_invocation import LambdaResponse, create_response
from handler.exceptions import OtherAccount, UnknownJob
from handler.invocation import Invocation
from handler.message import validate_id
from handler.records import Job
from handler.scoring import Scoring, record_keys
from handler.store import Store
from handler.tables import SCORE_RESULT


@dataclass(frozen=True)
class Shadow:
    """Scores jobs without an effect. `secrets` are removed from the messages of errors."""

    store: Store
    scoring: Scoring
    secrets: tuple[str, ...]

    def run(self, event: Mapping[str, Any], invocation: Invocation) -> LambdaResponse:
        """Score the job of the event's `scoring_job_id`; answered as a fan-out is, with the result in the body.

        Never raises an `Exception`.
        """
        text = ""
        try:
            job = self._job(validate_id(event.get("scoring_job_id")), invocation)
            records = self.store.read([key for key in record_keys(job) if key[0] != SCORE_RESULT])
            prepared = self.scoring.prepare(job, records, invocation.account.id())
            text = prepared.text
            started = invocation.deadline.clock.monotonic()
            result = self.scoring.score_input(prepared, invocation.deadline.scoring_ends)
            seconds = round(invocation.deadline.clock.monotonic() - started, 3)
        except Exception as error:
            policy = error_policy.find_policy(error)
            reason = redact.describe_error(error, policy.quotable, self.secrets, text)
            invocation.log.warning("not scored in the shadow", cause=policy.cause, error=reason)
            return create_response(policy.status, message=policy.cause, error=reason, processed=False)
        fields = {name: value for name, value in result.as_dict().items() if name != "trace"}
        return create_response(
            200, message="scored", scoring_job_id=job.id, result=fields, seconds=seconds, processed=True
        )

    def _job(self, job_id: str, invocation: Invocation) -> Job:
        job = self.store.read_job(job_id)
        if job is None:
            raise UnknownJob(f"no scoring job has the id {job_id[:80]!r}")
        if job.account_id != invocation.account.id():
            raise OtherAccount(f"scoring job {job.id} belongs to another account")
        return job
