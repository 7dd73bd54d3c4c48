"""Processes the messages of one invocation: claim → read → score → commit → respond.

Any step may be the last one before a crash (`crash_points.py`). Claims are made per job; the messages of a round share
their reads, and jobs that end at about the same time their transaction, responses and outbox deletions. No job waits
for another one: each is answered as it ends.
"""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from handler import fifo, scoring
from handler.attempt import Attempt, measure_job
from handler.claims import SHORTEST_WORK, Claims
from handler.clock import Clock
from handler.commit import Commit
from handler.crash_points import Observer, Step
from handler.exceptions import HandlerError, OutOfTime, Unavailable
from handler.failures import FailureHandler
from handler.heartbeat import Heartbeat
from handler.invocation import Invocation
from handler.message import Message, ScoringResponse
from handler.outcome import Disposition, MessageOutcome
from handler.queues import Queues
from handler.records import check_adoptable
from handler.scoring import Scoring
from handler.settings import Settings
from handler.store import COMMIT_LIMIT, Records, Store
from handler.suspects import find_suspects
from handler.tables import SCORE_RESULT
from handler.threads import Threads, join
from plexus.exceptions import DeadlineExceeded, PlexusError

_GRACE = 1.0  # seconds past the deadline that a score has to notice it by itself
_PATIENCE = 3.0  # seconds that the answers to jobs which need no scoring may delay the others
_LINGER = 0.1  # seconds that a scored job waits for others, to share their transaction and their send


@dataclass
class Worker:
    """Processes messages. One instance serves all invocations of an execution environment and keeps nothing of them.

    The threads are kept between invocations; those for scores are replaced if one blocks past its deadline.
    """

    store: Store
    queues: Queues
    scoring: Scoring
    failures: FailureHandler
    settings: Settings
    clock: Clock
    observe: Observer
    linger: float = _LINGER
    claims: Claims = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    scores: Threads = field(init=False)
    calls: Threads = field(init=False)

    def __post_init__(self) -> None:
        self.claims = Claims(self.store, self.failures, self.settings, self.clock, self.observe)
        self.heartbeat = Heartbeat(self.store, self.queues, self.settings, self.observe)
        self.scores = Threads(self.settings.concurrency, "score")
        self.calls = Threads(self.settings.concurrency, "call")  # a score that blocks its thread blocks no call

    def process(self, messages: Sequence[Message], invocation: Invocation) -> list[MessageOutcome]:
        """Run the jobs of a batch; returns an outcome for each message that was processed.

        Messages of a FIFO group that follow a failed one are not processed, and have no outcome. Never raises an
        `Exception`: every error of a job becomes its outcome.
        """
        outcomes: list[MessageOutcome] = []
        for members in fifo.split_rounds(messages):
            outcomes += self._process_round(fifo.select_unblocked(members, outcomes), messages, invocation)
        return outcomes

    def _process_round(
        self, members: Sequence[Message], batch: Sequence[Message], invocation: Invocation
    ) -> list[MessageOutcome]:
        """Process messages concurrently, then, one by one, those whose job may end its process.

        `batch` is all messages of the invocation, which stay hidden together.
        """
        has_time = invocation.deadline.allows(SHORTEST_WORK)  # else nothing will be claimed
        suspects, unread = find_suspects(self.store, members, self.calls) if has_time else ([], {})
        failed = [Attempt(message, uuid.uuid4().hex, error=error) for message, error in unread.items()]
        outcomes = self._end(failed, self._answer(failed, invocation), invocation)
        others = [message for message in members if message not in suspects and message not in unread]
        outcomes += self._process_together(others, batch, invocation)
        for message in suspects:
            outcomes += self._process_together([message], batch, invocation)
        return outcomes

    def _process_together(
        self, members: Sequence[Message], batch: Sequence[Message], invocation: Invocation
    ) -> list[MessageOutcome]:
        """Process messages concurrently, but one by one, after the others, jobs whose claims show that they may end it.

        Those are not found before if all messages are new to the queue: a redrive, a duplicate or a resent message.
        """
        attempts = [Attempt(message, uuid.uuid4().hex) for message in members]
        began = self.clock.monotonic()
        self.calls.for_each(lambda attempt: self.claims.claim(attempt, invocation), attempts)
        aside = self._set_suspects_aside([attempt for attempt in attempts if attempt.is_open])
        attempts = [attempt for attempt in attempts if attempt.message not in aside]
        opened = [attempt for attempt in attempts if attempt.is_open]
        answers = self._answer([attempt for attempt in attempts if not attempt.is_open], invocation)
        if opened:
            wait(answers, timeout=_PATIENCE)
            answers += self._score(opened, self._read(opened, invocation), batch, began, invocation)
        outcomes = self._end(attempts, answers, invocation)
        for message in aside:
            outcomes += self._process_together([message], batch, invocation)
        return outcomes

    def _set_suspects_aside(self, opened: Sequence[Attempt]) -> list[Message]:
        """Give up the claims of jobs that may end the process and are not alone; returns their messages, sorted."""
        suspects = [attempt for attempt in opened if attempt.is_suspect and len(opened) > 1]
        suspects.sort(key=lambda attempt: attempt.job.unfinished_claims if attempt.job else 0)
        self.calls.for_each(self._give_up, suspects)
        return [attempt.message for attempt in suspects if attempt.error is None]

    def _give_up(self, attempt: Attempt) -> None:
        reason = "the scoring job may end its process, and is run alone"
        try:
            self.failures.release(attempt.create_failure(HandlerError(reason)), reason)
        except Exception as error:
            attempt.error = error

    def _end(
        self, attempts: Sequence[Attempt], answers: "Sequence[Future[None]]", invocation: Invocation
    ) -> list[MessageOutcome]:
        """Wait for the answers, record the missing outcomes, and return all of them."""
        join(answers)
        self.calls.for_each(lambda attempt: self._conclude(attempt, invocation), attempts)
        return [attempt.outcome for attempt in attempts if attempt.outcome]

    def _read(self, attempts: Sequence[Attempt], invocation: Invocation) -> Records:
        """Read the records of all jobs in one call. If it fails, read those of each job in a call of its own."""
        try:
            keys = [key for attempt in attempts if attempt.job for key in scoring.record_keys(attempt.job)]
            with invocation.trace.step(Step.READ, jobs=len(attempts)):
                records = self.store.read(keys)
        except Exception as error:
            records = {}
            if len(attempts) > 1 and invocation.deadline.allows(0):
                self.calls.for_each(lambda attempt: records.update(self._read([attempt], invocation)), attempts)
                return records
            for attempt in attempts:
                attempt.error = error
            return records
        self.observe(Step.READ, ",".join(attempt.scoring_job_id or "" for attempt in attempts))
        return records

    def _score(
        self,
        attempts: Sequence[Attempt],
        records: Records,
        batch: Sequence[Message],
        began: float,
        invocation: Invocation,
    ) -> list[Future[None]]:
        """Score and commit all jobs concurrently, and start to answer each as it ends; returns the calls that do so.

        Renews leases meanwhile, which were claimed at `began` or later, and stops waiting at the deadline.
        """
        attempts = [attempt for attempt in attempts if attempt.is_open]  # the read may have failed
        now, start = self.clock.monotonic, self.scores.start
        scores = {start(self._score_one, attempt, records, invocation): attempt for attempt in attempts}
        commits: dict[Future[None], list[Attempt]] = {}
        ends, next_beat = invocation.deadline.scoring_ends + _GRACE, began + self.heartbeat.interval
        answers: list[Future[None]] = []
        beat: list[Future[None]] = []
        while scores or commits:
            timeout = max(0.0, min(next_beat, ends) - now())
            done = wait([*scores, *commits], timeout=timeout, return_when=FIRST_COMPLETED).done
            for call in commits.keys() & done:  # before the others, which linger
                answers += self._after_commit(call, commits, invocation)
            ended = scores.keys() & done
            if ended and len(scores) > len(ended):
                ended |= wait(scores.keys() - ended, timeout=max(0.0, min(self.linger, ends - now()))).done
            answers += self._answer(
                self._start_commits([_take(scores, score) for score in ended], commits, invocation), invocation
            )
            running = [*scores.values(), *(attempt for group in commits.values() for attempt in group)]
            if running and ends <= now():
                answers += self._answer(self._abandon(scores, commits), invocation)
                break
            if running and next_beat <= now():
                if all(call.done() for call in beat):
                    beat = self.heartbeat.beat(running, batch, self.clock.wall(), invocation)
                next_beat = now() + self.heartbeat.interval
        self.heartbeat.join(beat, min(_GRACE, ends - now()))
        return answers

    def _score_one(self, attempt: Attempt, records: Records, invocation: Invocation) -> None:
        """Score a job, or adopt its result; raises if it may not be committed."""
        job = attempt.job
        assert job is not None
        if not invocation.deadline.allows(0):
            raise OutOfTime("no thread was free to start it in time")
        log, trace = attempt.log(invocation), invocation.trace
        attempt.started, attempt.began = True, self.clock.monotonic()
        if existing := records.get((SCORE_RESULT, job.result_id)):
            check_adoptable(job, existing)
            log.info("the result exists already and is adopted")
        else:
            with trace.step(Step.SCORE, scoring_job_id=job.id):
                prepared = self.scoring.prepare(job, records, invocation.account.id())
                attempt.text = prepared.text
                try:
                    attempt.scored = self.scoring.run(prepared, invocation.deadline.scoring_ends)
                except PlexusError as error:
                    attempt.stats = measure_job(error, self.clock.monotonic() - attempt.began)
                    raise
            self.observe(Step.SCORE, job.id)
        if not invocation.deadline.allows(-_GRACE):
            raise DeadlineExceeded("the score was finished after its deadline")

    def _start_commits(
        self, ended: Sequence[Attempt], commits: "dict[Future[None], list[Attempt]]", invocation: Invocation
    ) -> list[Attempt]:
        """Start to commit the scored jobs of those that ended together; returns those that failed."""
        scored = [attempt for attempt in ended if attempt.error is None]
        for start in range(0, len(scored), COMMIT_LIMIT):
            group = scored[start : start + COMMIT_LIMIT]
            commits[self.calls.start(self._commit, group, invocation)] = group
        return [attempt for attempt in ended if attempt.error is not None]

    def _commit(self, attempts: Sequence[Attempt], invocation: Invocation) -> None:
        """Commit jobs in one transaction."""
        ids = [attempt.job.id for attempt in attempts if attempt.job]
        subject: dict[str, str | int] = {"scoring_job_id": ids[0]} if len(ids) == 1 else {"jobs": len(ids)}
        commits = [
            Commit(attempt.job, attempt.token, attempt.scored.record if attempt.scored else None)
            for attempt in attempts
            if attempt.job
        ]
        with invocation.trace.step(Step.COMMIT, **subject):
            self.store.commit(commits, self.clock.timestamp(), self.clock.wall())
        self.observe(Step.COMMIT, ",".join(ids))

    def _after_commit(
        self, call: "Future[None]", commits: "dict[Future[None], list[Attempt]]", invocation: Invocation
    ) -> list[Future[None]]:
        """Start to answer the jobs of a transaction that ended; if it failed, commit each job by itself first.

        So jobs share a call, but not a fate: one that lost its lease, or whose record is refused, fails alone.
        """
        group = commits.pop(call)
        if not (error := _error_of(call)):
            for attempt in group:
                self._set_committed(attempt, invocation)
        elif len(group) == 1:
            group[0].error = error
        else:
            for attempt in group:
                commits[self.calls.start(self._commit, [attempt], invocation)] = [attempt]
            return []
        return self._answer(group, invocation)

    def _set_committed(self, attempt: Attempt, invocation: Invocation) -> None:
        job = attempt.job
        assert job is not None
        attempt.stats = measure_job(attempt.scored, self.clock.monotonic() - attempt.began)
        attempt.response = ScoringResponse(job.id, job.result_id)
        log = attempt.log(invocation)
        log.info("committed", seconds=round(attempt.stats.seconds, 3), score_result_id=job.result_id)

    def _abandon(
        self, scores: "Mapping[Future[None], Attempt]", commits: "Mapping[Future[None], list[Attempt]]"
    ) -> list[Attempt]:
        """Stop waiting for scores and commits that ignore their deadline.

        The fencing token keeps their threads from writing once the job's lease is given up. Jobs that no thread had
        started yet are returned, which does not count as a failure of theirs.
        """
        for score, attempt in scores.items():
            late = DeadlineExceeded("the score did not stop at its deadline")
            attempt.error = OutOfTime("no thread was free to start it in time") if score.cancel() else late
        for call, group in commits.items():
            call.cancel()
            for attempt in group:
                attempt.error = Unavailable("commit the result: the call did not end in time")
        if scores:
            self.scores.shutdown(wait=False)
        return [*scores.values(), *(attempt for group in commits.values() for attempt in group)]

    def _answer(self, attempts: Sequence[Attempt], invocation: Invocation) -> list[Future[None]]:
        """Start to send the responses of attempts that ended, in one call, and to record each one's failure."""
        answered = [attempt for attempt in attempts if attempt.response and attempt.error is None]
        failed = [attempt for attempt in attempts if attempt.error is not None]
        calls = [self.calls.start(self._respond, answered, invocation)] if answered else []
        return calls + [self.calls.start(self._conclude, attempt, invocation) for attempt in failed]

    def _respond(self, attempts: Sequence[Attempt], invocation: Invocation) -> None:
        """Send all responses, then delete the outbox entries of those that SQS accepted.

        If the worker dies in between, the sweep or the next delivery sends the same response again.
        """
        responses = [attempt.response for attempt in attempts if attempt.response]
        try:
            with invocation.trace.step(Step.RESPOND, jobs=len(responses)):
                sent = self.queues.respond(responses)
            self.observe(Step.RESPOND, ",".join(sorted(sent)))
            if sent:
                with invocation.trace.step(Step.MARK, jobs=len(sent)):
                    self.store.mark_sent(sent)
                self.observe(Step.MARK, ",".join(sorted(sent)))
        except Exception as error:
            for attempt in attempts:
                attempt.error = error
            return
        for attempt in attempts:
            if attempt.scoring_job_id not in sent:
                attempt.error = Unavailable("send the response: SQS refused it")

    def _conclude(self, attempt: Attempt, invocation: Invocation) -> None:
        """Set the attempt's outcome, after applying the error policy to its error, if any."""
        if attempt.outcome is not None:
            return
        if attempt.error is None:
            disposition = Disposition.COMPLETED if attempt.claimed else Disposition.DUPLICATE
            attempt.outcome = MessageOutcome(
                attempt.message, disposition, attempt.scoring_job_id, detail=attempt.detail, stats=attempt.stats
            )
            return
        if attempt.response is not None:
            attempt.claimed = attempt.may_be_claimed = False  # committed: only the response is missing
        failure = attempt.create_failure(attempt.error)
        outcome = self.failures.handle(failure, invocation.deadline, attempt.log(invocation))
        attempt.outcome = replace(outcome, stats=attempt.stats)


def _take(scores: "dict[Future[None], Attempt]", score: "Future[None]") -> Attempt:
    """Remove a score that ended, and return its attempt with its error, if any."""
    attempt = scores.pop(score)
    attempt.error = _error_of(score)
    return attempt


def _error_of(call: "Future[None]") -> Exception | None:
    """Return a finished call's error, if any; re-raises anything but an `Exception`."""
    error = call.exception()
    if error is not None and not isinstance(error, Exception):
        raise error
    return error
