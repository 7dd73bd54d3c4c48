"""Applies the error policy: what is written to the job and done with the message if a job has no result."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from handler import error_policy, logs, redact
from handler.clock import Clock, Deadline
from handler.crash_points import Observer, Step
from handler.error_policy import JobEffect, MessageEffect, Policy
from handler.exceptions import HandlerError, JobLeased, LeaseLost, OutOfTime
from handler.logs import Log
from handler.message import Message
from handler.outcome import Disposition, MessageOutcome
from handler.queues import Queues
from handler.records import Job
from handler.settings import Settings
from handler.store import Store
from plexus import backoff

_TOO_LATE = 0.5  # seconds; a call begun later would be cut off by the end of the invocation


@dataclass(frozen=True)
class Failure:
    """A message whose job has no result.

    `token` is set if the job was, or may have been, claimed; `job` only if it was. `text` is the item's text, so that
    it can be removed from the error's. `has_run` says whether the job was started and did not end its process.
    """

    message: Message
    error: BaseException
    scoring_job_id: str | None = None
    token: str | None = None
    job: Job | None = None
    text: str = ""
    has_run: bool = False


@dataclass(frozen=True)
class FailureHandler:
    """Applies the error policy to failures. Thread-safe."""

    store: Store
    queues: Queues
    settings: Settings
    clock: Clock
    observe: Observer
    secrets: tuple[str, ...] = ()
    pause: Callable[[int, float], float] = field(default=backoff.pause)

    def handle(self, failure: Failure, deadline: Deadline, log: Log) -> MessageOutcome:
        """Apply the policy of the failure's error, log the failure, and return its outcome.

        Never raises an `Exception`: if the writes fail too, or no time is left for them, the message stays on the
        queue and the lease expires by itself.
        """
        policy = error_policy.find_policy(failure.error)
        reason = redact.describe_error(failure.error, policy.quotable, self.secrets, failure.text)
        log = log.bind(cause=policy.cause, error=reason)
        if not policy.quotable:
            log = log.bind(place=logs.locate_frame(failure.error.__traceback__))
        disposition = Disposition.RETRIED
        if deadline.remaining > _TOO_LATE:
            try:
                disposition = self._apply(failure, policy, reason, log)
            except Exception as error:
                quotable = isinstance(error, HandlerError)
                log.warning("outcome not recorded", second_error=redact.describe_error(error, quotable, self.secrets))
        level = log.error if disposition.deletes_message else log.warning
        level("no result", ending=disposition.value, receive_count=failure.message.receive_count)
        return MessageOutcome(failure.message, disposition, failure.scoring_job_id, policy.cause, reason, policy.status)

    def _apply(self, failure: Failure, policy: Policy, reason: str, log: Log) -> Disposition:
        if isinstance(failure.error, LeaseLost):
            self._withdraw_claim(failure)
        if policy.job is JobEffect.FAILED and not self._fail(failure, reason):
            return self._return(failure, LeaseLost("taken over"), log)
        if policy.message is MessageEffect.DEAD_LETTERED:
            return self._dead_letter(failure, reason)
        if policy.message is MessageEffect.CONSUMED:
            return Disposition.FAILED
        if policy.message is MessageEffect.RETURNED:
            if policy.job is JobEffect.PENDING:
                self.release(failure, reason)
            return self._return(failure, failure.error, log)
        if not self._is_known_last(failure, log):
            self.release(failure, reason)
            self._hand_back(failure, self.pause(failure.message.receive_count or 1, self.settings.retry_base))
            return Disposition.RETRIED
        if failure.job is None:
            self.release(failure, reason)  # as far as is known it was never claimed: it stays PENDING for a redrive
            return self._dead_letter(failure, reason)
        if self._fail(failure, reason):
            return self._dead_letter(failure, reason)
        return self._return(failure, LeaseLost("taken over"), log)

    def _return(self, failure: Failure, error: BaseException, log: Log) -> Disposition:
        """Make the message visible when the job may be free; at its last receive, replace it with a fresh copy."""
        wait = 0.0 if isinstance(error, OutOfTime) else self.settings.retry_base
        if isinstance(error, JobLeased):
            wait = error.free_in + self.pause(1, min(1.0, self.settings.retry_base))
        if self._is_known_last(failure, log):
            self.queues.requeue(failure.message, wait, unique=uuid.uuid4().hex)
            self.observe(Step.REQUEUE, failure.message.message_id)
            return Disposition.REQUEUED
        self._hand_back(failure, wait)
        return Disposition.RETURNED

    def is_last(self, message: Message, job: Job | None) -> bool:
        """Return whether SQS would move the message to the dead-letter queue instead of delivering it again.

        A fan-out event has no receive count; the attempts of a claimed job stand in for it.
        """
        if not message.is_queued:
            return False
        maximum = self.queues.redrive_policy(message.queue).max_receive_count
        count = message.receive_count
        if count is None:
            count = job.attempts if job else 1
        return maximum is not None and count >= maximum

    def _is_known_last(self, failure: Failure, log: Log) -> bool:
        """Return whether it is the last receive; if SQS does not tell, the outcome is recorded as if it were not.

        A job that kept its lease instead would count as one that ended its process.
        """
        try:
            return self.is_last(failure.message, failure.job)
        except HandlerError as error:
            second = redact.describe_error(error, True, self.secrets)
            log.warning("it is not known whether SQS delivers the message again", second_error=second)
            return False

    def release(self, failure: Failure, reason: str) -> None:
        """Give up the lease, also if it is only possible that the claim succeeded (its response was lost).

        Raises `HandlerError`.
        """
        if failure.scoring_job_id and failure.token:
            released = self.store.release(failure.scoring_job_id, failure.token, reason, has_run=failure.has_run)
            self.observe(Step.RELEASE, failure.scoring_job_id)
            if not released:
                self._withdraw_claim(failure)

    def _fail(self, failure: Failure, reason: str) -> bool:
        """Mark the job FAILED; returns False if its lease has passed to another worker."""
        if not (failure.job and failure.token):
            return True
        failed = self.store.fail(failure.job.id, failure.token, reason, self.clock.timestamp())
        self.observe(Step.FAIL, failure.job.id)
        if not failed:
            self._withdraw_claim(failure)
        return failed

    def _withdraw_claim(self, failure: Failure) -> None:
        """Withdraw the claim of a lost lease: this process lives, so the job did not end it."""
        if failure.job:
            self.store.withdraw_claim(failure.job.id)
            self.observe(Step.RELEASE, failure.job.id)

    def _dead_letter(self, failure: Failure, reason: str) -> Disposition:
        if not failure.message.is_queued:
            return Disposition.FAILED
        self.queues.send_to_dead_letters(failure.message, reason)
        self.observe(Step.DEAD_LETTER, failure.message.message_id)
        return Disposition.DEAD_LETTERED

    def _hand_back(self, failure: Failure, seconds: float) -> None:
        self.queues.set_visibility([failure.message], seconds)
        self.observe(Step.HAND_BACK, failure.message.message_id)
