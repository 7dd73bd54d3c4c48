"""Claims jobs: leases each job to its attempt, or finds the reason why it must not be scored."""

from dataclasses import dataclass

from handler import error_policy
from handler.attempt import Attempt
from handler.clock import Clock, Deadline
from handler.crash_points import Observer, Step
from handler.exceptions import (
    AlreadyFailed,
    EndedProcesses,
    JobLeased,
    LastReceive,
    Misconfigured,
    OtherAccount,
    OutOfTime,
    UnknownStatus,
)
from handler.failures import FailureHandler
from handler.invocation import Invocation
from handler.logs import Log
from handler.message import Message, ScoringResponse, parse_request
from handler.records import COMPLETED, FAILED, IN_PROGRESS, PENDING, Job
from handler.settings import Settings
from handler.store import ClaimResult, Store

SHORTEST_WORK = 1.0  # seconds before the reserve: with less, a claim would only delay the job


@dataclass(frozen=True)
class Claims:
    """Claims one job at a time. Thread-safe."""

    store: Store
    failures: FailureHandler
    settings: Settings
    clock: Clock
    observe: Observer

    def claim(self, attempt: Attempt, invocation: Invocation) -> None:
        """Lease the job; sets the response instead if the job is already completed and its response may be unsent.

        Every error ends up in `attempt.error`, nothing is raised. No call is made if the time left allows no work, or
        if the body is invalid.
        """
        try:
            attempt.scoring_job_id = parse_request(attempt.message.body).scoring_job_id
            _require_time(invocation.deadline)
            account_id = invocation.account.id()
            _require_time(invocation.deadline)  # the first lookup of an environment may have taken seconds
            now = self.clock.wall()
            attempt.may_be_claimed = True
            until = now + self.settings.lease
            with invocation.trace.step(Step.CLAIM, scoring_job_id=attempt.scoring_job_id):
                result, attempt.job = self.store.claim(
                    attempt.scoring_job_id, account_id, attempt.token, now, until, self.settings.clock_skew
                )
            self.observe(Step.CLAIM, attempt.scoring_job_id)
            attempt.claimed = result is ClaimResult.WON
            self._check(attempt, attempt.job, result, now, attempt.log(invocation))
        except Exception as error:
            attempt.error = error

    def _check(self, attempt: Attempt, job: Job, result: ClaimResult, now: float, log: Log) -> None:
        """Raise the error of a refused claim; for a job that has ended, set the attempt's detail and response."""
        if result is ClaimResult.OTHER_ACCOUNT:
            owner = "belongs to another account" if job.account_id else "has no accountId"
            raise OtherAccount(f"scoring job {job.id} {owner}")
        if result is ClaimResult.LEASED:
            free_in = max(0.0, job.busy_until + self.settings.clock_skew - now)
            owner = "another worker has leased" if job.lease_until else "the original's worker may still run"
            raise JobLeased(f"{owner} the scoring job for up to {free_in:.0f} s", free_in)
        if result is ClaimResult.COMPLETED:
            attempt.detail = "already completed"
            if self.store.read_outbox_entry(job.id):
                attempt.response = ScoringResponse(job.id, job.result_id)
        elif result is ClaimResult.FAILED:
            if (attempt.message.receive_count or 1) > 1 and error_policy.is_dead_lettered(job.error_message):
                raise AlreadyFailed(f"the worker may have ended before this dead letter; {job.error_message}")
            attempt.detail = "already failed"
            log.warning(
                "the job is FAILED, so its message is deleted; next: make dlq REDRIVE=1, or reset it to PENDING"
            )
        elif result is ClaimResult.WON and attempt.is_suspect:
            self._check_suspect(attempt.message, job)
        elif result is ClaimResult.UNKNOWN:
            known = f"{PENDING}, {IN_PROGRESS}, {COMPLETED} or {FAILED}"
            raise UnknownStatus(f"the scoring job's status is {job.status[:40]!r}, expected {known}")

    def _check_suspect(self, message: Message, job: Job) -> None:
        """Raise the error of a job that ended its process too often, or may do so at the message's last receive."""
        ended = job.unfinished_claims - 1
        has_ended = ended >= self.settings.crash_limit
        is_last = not has_ended and self.failures.is_last(message, job)
        is_copy_last = is_last and (message.receive_count or 1) == 1  # a fresh copy would only be replaced again
        if is_copy_last or has_ended:
            times = "once" if ended == 1 else f"{ended} times"
            raise EndedProcesses(
                f"the scoring job ended its process {times}: as many workers claimed it and recorded no outcome; "
                "next: read their log, correct the scorecard or the item, then make dlq REDRIVE=1"
            )
        if is_last:
            raise LastReceive("the scoring job may end its process, and SQS would then lose the reason")


def _require_time(deadline: Deadline) -> None:
    """Raise the error of a job for which no time is left.

    If no invocation can ever have enough, returning the message at once would deliver it in an endless loop.
    """
    if deadline.allows(SHORTEST_WORK):
        return
    if deadline.allotted < deadline.reserve + SHORTEST_WORK:
        raise Misconfigured(
            f"the function has {deadline.allotted:.1f} s, expected at least {deadline.reserve + SHORTEST_WORK:g} s: "
            "PLEXUS_RESERVE_SECONDS and 1 s; next: raise function.timeout_s in the stage file, or lower the reserve"
        )
    raise OutOfTime(f"{max(0.0, deadline.remaining):.1f} s of the invocation are left")
