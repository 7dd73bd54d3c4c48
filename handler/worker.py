"""The jobs of one invocation: claim → read → score → commit → respond, each a step that a crash may follow.

Claims and commits are each job's own; reads, responses and outbox marks are shared by the deliveries of a round.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from handler import batch, message, scoring
from handler.batch import Effort, Ending, Outcome
from handler.clock import Clock, Deadline
from handler.exceptions import HandlerError, JobLeased, OtherAccount, OutOfTime, Unavailable, UnknownStatus
from handler.logs import Log
from handler.queues import Delivery, Queues, Response
from handler.records import Job
from handler.scoring import Scored, Scoring
from handler.settings import Settings
from handler.settling import Failure, Settling
from handler.steps import Observer, Step
from handler.store import SCORE_RESULT, Claimed, Records, Store
from handler.subsegments import Trace
from plexus.exceptions import DeadlineExceeded

_SHORTEST_WORK = 1.0  # seconds before the reserve: less is not worth a claim
_GRACE = 1.0  # seconds past the deadline that a score gets to notice it by itself
_T = TypeVar("_T")


@dataclass
class Attempt:
    """One delivery on its way through the steps; only one thread at a time changes it."""

    delivery: Delivery
    token: str
    scoring_job_id: str | None = None
    job: Job | None = None
    claimed: bool = False
    may_be_claimed: bool = False
    text: str = ""
    response: Response | None = None
    error: BaseException | None = None
    detail: str = "processed"
    scored: Scored | None = None
    effort: Effort | None = None

    @property
    def is_open(self) -> bool:
        """Whether the job is ours and still to be scored."""
        return self.claimed and self.error is None and self.response is None


@dataclass
class Worker:
    """What an execution environment keeps between invocations, and how it works deliveries off."""

    store: Store
    queues: Queues
    scoring: Scoring
    settling: Settling
    settings: Settings
    clock: Clock
    observe: Observer
    log: Log
    account: Callable[[], str]
    trace: Trace = field(default_factory=Trace, init=False)  # of the invocation under way
    pool: ThreadPoolExecutor | None = field(default=None, init=False)

    def work(self, deliveries: Sequence[Delivery], deadline: Deadline) -> list[Outcome]:
        """One outcome for each delivery."""
        return list(batch.rounds(deliveries, lambda members: self._round(members, deadline)))

    def _round(self, members: Sequence[Delivery], deadline: Deadline) -> list[Outcome]:
        attempts = [Attempt(delivery, uuid.uuid4().hex) for delivery in members]
        self._each(lambda attempt: self._claim(attempt, deadline), attempts)
        records = self._read([attempt for attempt in attempts if attempt.is_open])
        self._score([attempt for attempt in attempts if attempt.is_open], records, deadline)
        self._respond([attempt for attempt in attempts if attempt.response and attempt.error is None])
        return self._each(lambda attempt: self._outcome(attempt, deadline), attempts)

    def _claim(self, attempt: Attempt, deadline: Deadline) -> None:
        try:
            attempt.scoring_job_id = message.parse(attempt.delivery.body).scoring_job_id
            if not deadline.allows(_SHORTEST_WORK):
                raise OutOfTime(f"{max(0.0, deadline.remaining):.1f} s of the invocation are left")
            account_id = self.account()
            now = self.clock.wall()
            attempt.may_be_claimed = True
            until = now + self.settings.lease
            with self.trace.step(Step.CLAIM, scoring_job_id=attempt.scoring_job_id):
                state, attempt.job = self.store.claim(
                    attempt.scoring_job_id, attempt.token, now, until, self.settings.clock_skew
                )
            self.observe(Step.CLAIM, attempt.scoring_job_id)
            attempt.claimed = state is Claimed.WON
            self._check(attempt, state, account_id, now)
        except Exception as error:
            attempt.error = error

    def _check(self, attempt: Attempt, state: Claimed, account_id: str, now: float) -> None:
        """What a claim's state means for the attempt."""
        job = attempt.job
        assert job is not None
        if job.account_id != account_id:
            raise OtherAccount(f"scoring job {job.id} belongs to another account")
        if state is Claimed.LEASED:
            free_in = max(0.0, job.lease_until + self.settings.clock_skew - now)
            raise JobLeased(f"another worker holds the scoring job for up to {free_in:.0f} s", free_in)
        if state is Claimed.COMPLETED:
            attempt.detail = "already completed"
            if self.store.unsent(job.id):
                attempt.response = Response(job.id, job.result_id)
        elif state is Claimed.FAILED:
            attempt.detail = "already failed"
        elif state is Claimed.UNKNOWN:
            raise UnknownStatus(f"the scoring job's status is {job.status[:40]!r}, which this worker does not know")

    def _read(self, attempts: Sequence[Attempt]) -> Records:
        """One read for all; where it fails, it fails for all."""
        if not attempts:
            return {}
        try:
            keys = [key for each in attempts if each.job for key in scoring.keys(each.job)]
            with self.trace.step(Step.READ, jobs=len(attempts)):
                records = self.store.read(keys)
        except Exception as error:
            for attempt in attempts:
                attempt.error = error
            return {}
        self.observe(Step.READ, ",".join(attempt.scoring_job_id or "" for attempt in attempts))
        return records

    def _score(self, attempts: Sequence[Attempt], records: Records, deadline: Deadline) -> None:
        """Score and commit all at once; meanwhile keep leases and visibility, and stop waiting at the deadline."""
        pool = self._pool()
        futures: dict[Future[Response], Attempt] = {
            pool.submit(self._score_one, attempt, records, deadline): attempt for attempt in attempts
        }
        pending = set(futures)
        while pending:
            left = deadline.scoring_ends + _GRACE - self.clock.monotonic()
            done, pending = wait(pending, timeout=max(0.0, min(self.settings.lease / 3, left)))
            for future in done:
                _take(futures[future], future)
            if pending and deadline.scoring_ends + _GRACE <= self.clock.monotonic():
                self._abandon({future: futures[future] for future in pending})
                return
            if pending:
                self._keep([futures[future] for future in pending], attempts)

    def _score_one(self, attempt: Attempt, records: Records, deadline: Deadline) -> Response:
        job = attempt.job
        assert job is not None
        if not deadline.allows(0):
            raise OutOfTime("no thread was free to start it in time")
        log, trace = self._log(attempt), self.trace  # this invocation's, should the score outlast it
        started = self.clock.monotonic()
        if (SCORE_RESULT, job.result_id) in records:
            log.info("the result exists already and is adopted")
        else:
            with trace.step(Step.SCORE, scoring_job_id=job.id):
                prepared = self.scoring.prepare(job, records, self.account())
                attempt.text = prepared.text
                attempt.scored = self.scoring.run(prepared, deadline.scoring_ends)
            self.observe(Step.SCORE, job.id)
        if not deadline.allows(-_GRACE):
            raise DeadlineExceeded("the score was finished after its deadline")
        record = attempt.scored.record if attempt.scored else None
        with trace.step(Step.COMMIT, scoring_job_id=job.id):
            self.store.commit(job, attempt.token, record, self.clock.timestamp(), self.clock.wall())
        self.observe(Step.COMMIT, job.id)
        attempt.effort = _effort(attempt.scored, self.clock.monotonic() - started)
        log.info("committed", seconds=round(attempt.effort.seconds, 3), score_result_id=job.result_id)
        return Response(job.id, job.result_id)

    def _keep(self, pending: Sequence[Attempt], attempts: Sequence[Attempt]) -> None:
        """The heartbeat: leases last longer, and messages stay hidden until just after them.

        Those of jobs that ended too: what was hidden for a lease only would come back before all of the batch is done.
        """
        until = self.clock.wall() + self.settings.lease
        for attempt in pending:
            if attempt.job and not _quietly(self._log(attempt), self._renew, attempt.job.id, attempt.token, until):
                self._log(attempt).warning("the lease was not renewed")
        hidden = self.settings.lease + self.settings.clock_skew
        deliveries = [attempt.delivery for attempt in attempts]
        _quietly(self.log, self.queues.set_visibility, deliveries, hidden)

    def _renew(self, job_id: str, token: str, until: float) -> bool:
        renewed = self.store.renew(job_id, token, until)
        self.observe(Step.RENEW, job_id)
        return renewed

    def _abandon(self, pending: Mapping["Future[Response]", Attempt]) -> None:
        """Leave scores that ignore their deadline to their threads; the fence keeps those from writing.

        Those that no thread came to are not to blame.
        """
        for future, attempt in pending.items():
            late = DeadlineExceeded("the score did not stop at its deadline")
            attempt.error = OutOfTime("no thread was free to start it in time") if future.cancel() else late
        if self.pool:
            self.pool.shutdown(wait=False, cancel_futures=True)
            self.pool = None

    def _respond(self, attempts: Sequence[Attempt]) -> None:
        """Send all responses, then mark those that SQS took; an unmarked one is sent again, the same."""
        if not attempts:
            return
        responses = [attempt.response for attempt in attempts if attempt.response]
        try:
            with self.trace.step(Step.RESPOND, jobs=len(responses)):
                sent = self.queues.respond(responses)
            self.observe(Step.RESPOND, ",".join(sorted(sent)))
            if sent:
                with self.trace.step(Step.MARK, jobs=len(sent)):
                    self.store.mark_sent(sent)
                self.observe(Step.MARK, ",".join(sorted(sent)))
        except Exception as error:
            for attempt in attempts:
                attempt.error = error
            return
        for attempt in attempts:
            if attempt.scoring_job_id not in sent:
                attempt.error = Unavailable("send the response: SQS refused it")

    def _outcome(self, attempt: Attempt, deadline: Deadline) -> Outcome:
        if attempt.error is None:
            ending = Ending.COMPLETED if attempt.claimed else Ending.DUPLICATE
            effort, detail = attempt.effort, attempt.detail
            return Outcome(attempt.delivery, ending, attempt.scoring_job_id, detail=detail, effort=effort)
        if attempt.response is not None:
            attempt.claimed = attempt.may_be_claimed = False  # committed: only the response is owed
        failure = Failure(
            attempt.delivery,
            attempt.error,
            attempt.scoring_job_id,
            attempt.token if attempt.may_be_claimed else None,
            attempt.job if attempt.claimed else None,
            attempt.text,
        )
        return self.settling.settle(failure, deadline, self._log(attempt))

    def _each(self, function: Callable[[Attempt], _T], attempts: Sequence[Attempt]) -> list[_T]:
        """The function of each attempt; side by side where there are several."""
        if len(attempts) < 2:
            return [function(attempt) for attempt in attempts]
        return list(self._pool().map(function, attempts))

    def _pool(self) -> ThreadPoolExecutor:
        if self.pool is None:
            self.pool = ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="score")
        return self.pool

    def _log(self, attempt: Attempt) -> Log:
        delivery = attempt.delivery
        return self.log.bind(
            message_id=delivery.message_id,
            scoring_job_id=attempt.scoring_job_id,
            sender_trace_id=delivery.sender_trace_id,
        )


def _effort(scored: Scored | None, seconds: float) -> Effort:
    """What a job took; an adopted result took no model."""
    if scored is None:
        return Effort(seconds)
    usage, cost = scored.result.usage, scored.result.cost
    return Effort(seconds, usage.calls, usage.input_tokens, usage.output_tokens, float(cost or 0))


def _take(attempt: Attempt, future: "Future[Response]") -> None:
    """A finished future's response, or its error."""
    error = future.exception()
    if error is None:
        attempt.response = future.result()
    elif not isinstance(error, Exception):
        raise error
    else:
        attempt.error = error


def _quietly(log: Log, function: Callable[..., object], *arguments: object) -> object:
    """A call whose failure only costs a repetition."""
    try:
        return function(*arguments)
    except HandlerError as error:
        log.warning("heartbeat failed", error=type(error).__name__)
        return None
