"""Applies the fate table: what is written and sent when a job has no result."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from handler import backoff, fate, logs, redact
from handler.batch import Ending, Outcome
from handler.clock import Clock, Deadline
from handler.exceptions import HandlerError, JobLeased, LeaseLost, OutOfTime
from handler.fate import Fate, JobFate, MessageFate
from handler.logs import Log
from handler.queues import Delivery, Queues
from handler.records import Job
from handler.settings import Settings
from handler.steps import Observer, Step
from handler.store import Store

_TOO_LATE = 0.5  # seconds: no call is begun that the invocation's end would cut off


@dataclass(frozen=True)
class Failure:
    """A delivery without a result. `token` is set once the job was claimed, or may have been; `text` is the item's."""

    delivery: Delivery
    error: BaseException
    scoring_job_id: str | None = None
    token: str | None = None
    job: Job | None = None
    text: str = ""


@dataclass(frozen=True)
class Settling:
    """Brings failures to their fate; used by several threads at once."""

    store: Store
    queues: Queues
    settings: Settings
    clock: Clock
    observe: Observer
    hidden: tuple[str, ...] = ()
    pause: Callable[[int, float], float] = field(default=backoff.pause)

    def settle(self, failure: Failure, deadline: Deadline, log: Log) -> Outcome:
        """The outcome, after its writes; where these fail too, the message stays and the lease runs out."""
        row = fate.of(failure.error)
        reason = redact.reason(failure.error, row.quotable, self.hidden, failure.text)
        log = log.bind(cause=row.cause, error=reason)
        if not row.quotable:
            log = log.bind(place=logs.place(failure.error.__traceback__))
        ending = Ending.RETRIED
        if deadline.remaining > _TOO_LATE:
            try:
                ending = self._apply(failure, row, reason)
            except Exception as error:
                known = isinstance(error, HandlerError)
                log.warning("outcome not recorded", second_error=redact.reason(error, known, self.hidden))
        level = log.error if ending.message_goes else log.warning
        level("no result", ending=ending.value, receive_count=failure.delivery.receive_count)
        return Outcome(failure.delivery, ending, failure.scoring_job_id, row.cause, reason, row.status)

    def _apply(self, failure: Failure, row: Fate, reason: str) -> Ending:
        if row.message is MessageFate.DEAD_LETTERED:
            return self._dead_letter(failure, reason)
        if row.message is MessageFate.CONSUMED:
            return Ending.FAILED if self._fail(failure, reason) else self._return(failure, LeaseLost("taken over"))
        if row.message is MessageFate.RETURNED:
            if row.job is JobFate.PENDING:
                self._release(failure, reason)
            return self._return(failure, failure.error)
        if not self._is_last(failure):
            self._release(failure, reason)
            self._hand_back(failure, self.pause(failure.delivery.receive_count or 1, self.settings.retry_base))
            return Ending.RETRIED
        if failure.job is None:
            self._release(failure, reason)  # never claimed, as far as we know: it stays PENDING for a redrive
            return self._dead_letter(failure, reason)
        if self._fail(failure, reason):
            return self._dead_letter(failure, reason)
        return self._return(failure, LeaseLost("taken over"))

    def _return(self, failure: Failure, error: BaseException) -> Ending:
        """Without blame: the message comes back when the job may be free, by a fresh copy if it was the last time."""
        wait = 0.0 if isinstance(error, OutOfTime) else self.settings.retry_base
        if isinstance(error, JobLeased):
            wait = error.free_in + self.pause(1, min(1.0, self.settings.retry_base))
        if self._is_last(failure):
            self.queues.requeue(failure.delivery, wait, unique=uuid.uuid4().hex)
            self.observe(Step.REQUEUE, failure.delivery.message_id)
            return Ending.REQUEUED
        self._hand_back(failure, wait)
        return Ending.RETURNED

    def _is_last(self, failure: Failure) -> bool:
        """Whether SQS moves the message to the dead-letter queue instead of another receive.

        A fan-out does not tell the count; the job's attempts stand for it.
        """
        most = self.queues.redrive(failure.delivery.queue).max_receive_count
        count = failure.delivery.receive_count
        if count is None:
            count = failure.job.attempts if failure.job else 1
        return most is not None and count >= most

    def _release(self, failure: Failure, reason: str) -> None:
        """Give the lease back. A claim whose answer never came may hold one too, so the token is tried."""
        if failure.scoring_job_id and failure.token:
            self.store.release(failure.scoring_job_id, failure.token, reason)
            self.observe(Step.RELEASE, failure.scoring_job_id)

    def _fail(self, failure: Failure, reason: str) -> bool:
        if not (failure.job and failure.token):
            return True
        failed = self.store.fail(failure.job.id, failure.token, reason, self.clock.timestamp())
        self.observe(Step.FAIL, failure.job.id)
        return failed

    def _dead_letter(self, failure: Failure, reason: str) -> Ending:
        self.queues.dead_letter(failure.delivery, reason)
        self.observe(Step.DEAD_LETTER, failure.delivery.message_id)
        return Ending.DEAD_LETTERED

    def _hand_back(self, failure: Failure, seconds: float) -> None:
        self.queues.set_visibility([failure.delivery], seconds)
        self.observe(Step.HAND_BACK, failure.delivery.message_id)
