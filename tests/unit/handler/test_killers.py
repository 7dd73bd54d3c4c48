"""A job that ends its process every time: it ends FAILED with that reason, and harms no other job."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import plexus
from handler.clock import Clock
from handler.crash_points import Step
from handler.message import find_job_id
from handler.records import derive_result_id
from plexus.exceptions import ScoringFailed
from tests.memory.wire import Refused, no_fault
from tests.memory.world import Context, World, end_threads, scoring

KILLER = "job-5"
LIMIT_S = 120
REASON = "EndedProcesses: the scoring job ended its process 3 times"


class Crash(BaseException):
    """The end of the process."""


class Process:
    """Execution environments that end whenever the killer reaches a step; the count is in `deaths`."""

    def __init__(self, world: World, step: Step, score: Any = plexus.score, **changed: Any) -> None:
        self.world, self.step, self.score, self.changed = world, step, score, changed
        self.deaths = 0
        self.dead = threading.Event()

    def _observe(self, step: Step, subject: str) -> None:
        bodies = {message.id: message.body for message in self.world.requests.messages}
        jobs = {find_job_id(bodies.get(part, "")) or part for part in subject.split(",")}
        dies = step is self.step and KILLER in jobs
        if step is Step.CLAIM and dies:  # the job itself does nothing in the claim that finds it out
            dies = self.world.dynamodb.fields("ScoringJob", KILLER)["unfinishedClaims"] <= 3
        if self.dead.is_set() or dies:
            self.dead.set()
            raise Crash

    def _fault(self, operation: str, at: str, request: dict[str, Any]) -> None:
        if self.dead.is_set():
            raise Crash  # the other threads of a dead process do nothing

    def invoke(self, context: Context | None = None) -> None:
        """Deliver a batch to a new environment, and delete what its answer allows."""
        self.dead.clear()
        self.world.wire.fault = self._fault
        runtime = self.world.runtime(self._observe, self.score, **self.changed)
        try:
            self.world.batch(runtime, context=context)
        except Crash:
            self.deaths += 1
        finally:
            end_threads(runtime)
            self.world.wire.fault = no_fault

    def drain(self) -> None:
        """Deliver until the queue is empty."""
        for _ in range(40):
            if not self.world.sqs.bodies("requests"):
                return
            self.invoke()
            self.world.skip(1801)
        raise AssertionError(f"{len(self.world.sqs.bodies('requests'))} messages are left")


def failing(item: plexus.Item, context: plexus.Context) -> plexus.Result:
    """Fail if the item is the killer's."""
    if item.text == "killer":
        raise ScoringFailed("down", transient=True)
    return plexus.Result("Yes")


def until_dead(process: list[Process]) -> Any:
    """Return an engine in which the killer runs until its process is dead."""

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        if item.text == "killer":
            assert process[0].dead.wait(LIMIT_S)
        return plexus.Result("Yes")

    return scoring(score)


def send(world: World, alone: bool) -> list[str]:
    """Send the killer, alone or in the middle of a batch of ten; returns the innocent jobs."""
    numbers = [5] if alone else range(10)
    jobs = [world.job(number, text="killer" if number == 5 else "I want a refund.") for number in numbers]
    world.send_jobs(*jobs)
    return [job for job in jobs if job != KILLER]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "batch"])
@pytest.mark.parametrize(
    ("step", "receives"),
    [(Step.CLAIM, 5), (Step.READ, 3), (Step.READ, 5), (Step.SCORE, 3), (Step.SCORE, 5), (Step.RENEW, 3)],
)
def test_a_job_that_always_ends_its_process_is_failed(world: World, step: Step, receives: int, alone: bool) -> None:
    """Whichever step ends the process, the job is FAILED and dead-lettered with that reason after three deaths of its
    own; all other jobs of its batch are completed, with one distinct response each.
    """
    world.requests.max_receive_count = receives
    innocent = send(world, alone)
    itself: list[Process] = []
    slow = {"score": until_dead(itself), "clock": Clock(lambda: world.time), "lease": 0.3}
    process = Process(world, step, **(slow if step is Step.RENEW else {}))
    itself.append(process)
    process.drain()
    assert world.status(KILLER) == "FAILED"
    assert world.dynamodb.fields("ScoringJob", KILLER)["errorMessage"].startswith(REASON)
    assert [reason[: len(REASON)] for reason in world.reasons()] == [REASON]
    assert [job for job in innocent if world.status(job) != "COMPLETED"] == []
    assert set(world.sent_results()) == set(
        map(derive_result_id, innocent)
    )  # a process that ends may not record that it sent
    assert world.dynamodb.ids("Outbox") == set()
    assert process.deaths in (3, 4)  # a fresh copy of its message may meet another batch


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "batch"])
@pytest.mark.parametrize("step", [Step.RELEASE, Step.HAND_BACK, Step.FAIL, Step.DEAD_LETTER])
def test_a_failure_that_ends_its_process_is_failed_with_its_reason(world: World, step: Step, alone: bool) -> None:
    """If recording its failure ends the process, the job is FAILED with the failure's reason, and harms no other."""
    innocent = send(world, alone)
    Process(world, step, scoring(failing)).drain()
    assert world.status(KILLER) == "FAILED"
    assert world.dynamodb.fields("ScoringJob", KILLER)["errorMessage"] == "ScoringFailed: down"
    assert [job for job in innocent if world.status(job) != "COMPLETED"] == []
    assert set(world.sent_results()) == set(
        map(derive_result_id, innocent)
    )  # a process that ends may not record that it sent
    assert {find_job_id(body) for body in world.sqs.bodies("dead")} <= {KILLER}


@pytest.mark.parametrize("reason", [REASON, "UnsafeCode: too much work"])
def test_a_process_that_ends_before_the_dead_letter_loses_none(world: World, reason: str) -> None:
    """A message that comes again, whose job was FAILED but maybe not dead-lettered, is; a first message is deleted."""
    world.job(5, status="FAILED", errorMessage=reason)
    world.send_jobs(KILLER)
    assert world.batch(world.runtime()) == []
    assert world.reasons() == []
    world.send_jobs(KILLER)
    world.requests.messages[0].receives = 1
    assert world.batch(world.runtime()) == []
    assert [letter.endswith(reason) for letter in world.reasons()] == [True]
    assert world.dynamodb.fields("ScoringJob", KILLER)["errorMessage"] == reason


@pytest.mark.parametrize("step", [Step.FAIL, Step.DEAD_LETTER])
def test_a_killer_whose_last_worker_is_killed_is_dead_lettered(world: World, step: Step) -> None:
    """If the process ends right after the job is FAILED, or dead-lettered, its message is a dead letter in the end."""
    world.send_jobs(world.job(5, status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=3))
    process = Process(world, step)
    process.invoke()
    assert process.deaths == 1
    world.skip(1801)
    process.step = Step.REQUEUE  # not reached
    process.drain()
    assert world.status(KILLER) == "FAILED"
    assert {find_job_id(body) for body in world.sqs.bodies("dead")} == {KILLER}
    assert all(REASON in reason for reason in world.reasons())


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "batch"])
@pytest.mark.parametrize("step", [Step.COMMIT, Step.RESPOND, Step.MARK])
def test_a_committed_job_that_ends_its_process_stays_completed(world: World, step: Step, alone: bool) -> None:
    """A job that ends its process once it is committed is COMPLETED with one result; each other job too, and the
    killer's response is sent by the first process that lives.
    """
    innocent = send(world, alone)
    process = Process(world, step)
    process.invoke()
    assert process.deaths == 1
    world.skip(1801)
    process.step = Step.REQUEUE  # not reached
    process.drain()
    world.invoke(world.runtime(), {"source": "sweep"})
    assert [job for job in [KILLER, *innocent] if world.status(job) != "COMPLETED"] == []
    assert set(world.sent_results()) == set(map(derive_result_id, [KILLER, *innocent]))
    assert world.dynamodb.ids("Outbox") == set()
    assert world.sqs.bodies("dead") == []


def test_the_deaths_of_others_are_not_counted(world: World) -> None:
    """Ten jobs that were claimed by the same dead process complete one by one, and are no suspects afterwards."""
    send(world, False)
    process = Process(world, Step.CLAIM)
    process.invoke()
    world.skip(1801)
    process.step = Step.REQUEUE  # not reached: from now on no process ends
    process.drain()
    assert {world.status(f"job-{number}") for number in range(10)} == {"COMPLETED"}
    assert {world.dynamodb.fields("ScoringJob", f"job-{number}").get("unfinishedClaims") for number in range(10)} == {
        None
    }


def test_a_queue_that_delivers_once_gets_no_endless_copies(world: World) -> None:
    """Where each receive is the last one, a job that ended its process is FAILED with that reason, and not run."""
    world.requests.max_receive_count = 1
    world.send_jobs(world.job(5, status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=1))
    assert world.batch(world.runtime()) == []
    assert world.sqs.bodies("requests") == []
    assert [reason.partition(":")[0] for reason in world.reasons()] == ["EndedProcesses"]
    assert world.status(KILLER) == "FAILED"


def test_a_fan_out_without_receive_count_gets_no_endless_copies(world: World) -> None:
    """A fan-out does not say how often its message was received; after many attempts, the job is FAILED, too."""
    world.send_jobs(world.job(5, status="IN_PROGRESS", leaseUntil=0, attempts=9, unfinishedClaims=1))
    (message,) = world.sqs.receive(world.requests, 1)
    event = {"source": "fanout", "message_body": message.body, "receipt_handle": message.handles[-1]}
    world.invoke(world.runtime(), {**event, "queue_url": world.requests.url})
    assert world.sqs.bodies("requests") == []
    assert [reason.partition(":")[0] for reason in world.reasons()] == ["EndedProcesses"]
    assert world.status(KILLER) == "FAILED"


@pytest.mark.parametrize("claims", [1, 2])
def test_a_killer_in_new_messages_harms_no_innocent(world: World, claims: int) -> None:
    """A job whose deaths are known by other messages runs alone, although each message of its batch is new."""
    world.requests.max_receive_count = 9
    innocent = send(world, False)
    world.job(5, text="killer", status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=claims)
    process = Process(world, Step.SCORE)
    process.invoke()
    assert process.deaths == 1
    assert [job for job in innocent if world.status(job) != "COMPLETED"] == []
    assert set(world.sent_results()) == set(map(derive_result_id, innocent))
    world.skip(1801)
    process.drain()
    assert [reason[: len(REASON)] for reason in world.reasons()] == [REASON]
    assert process.deaths == 3 - claims


def test_killers_in_new_messages_are_not_charged_for_each_other(world: World) -> None:
    """Of two jobs with known deaths in a batch of new messages, the one with fewer runs first, and alone."""
    killer = world.job(5, text="killer", status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=1)
    innocent = world.job(1, status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=2)
    world.send_jobs(innocent, killer, world.job(2))
    Process(world, Step.SCORE).invoke()
    assert (world.status(innocent), world.status("job-2")) == ("PENDING", "COMPLETED")
    assert world.dynamodb.fields("ScoringJob", innocent)["unfinishedClaims"] == 2
    assert world.dynamodb.fields("ScoringJob", killer)["unfinishedClaims"] == 2


def test_a_lone_suspect_is_claimed_once(world: World) -> None:
    """A new message alone in its batch, whose job was claimed before, costs no call more than any other."""
    world.send_jobs(world.job(5, status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=1))
    assert world.batch(world.runtime()) == []
    assert world.wire.made.count("UpdateItem") == 1


def test_a_suspect_that_does_not_run_stays_one(world: World) -> None:
    """A claim that ends before the job runs leaves the count of claims without outcome as it was."""
    world.send_jobs(world.job(5, status="IN_PROGRESS", leaseUntil=0, unfinishedClaims=2))

    def refuse(operation: str, at: str, request: dict[str, Any]) -> None:
        if operation == "BatchGetItem":
            raise Refused("ThrottlingException")

    world.wire.fault = refuse
    assert len(world.batch(world.runtime())) == 1
    assert world.status(KILLER) == "PENDING"
    assert world.dynamodb.fields("ScoringJob", KILLER)["unfinishedClaims"] == 2


def test_an_error_is_an_outcome(world: World) -> None:
    """A job that fails in its process, however often, is never taken for one that ends it."""
    world.requests.max_receive_count = 10
    world.send_jobs(world.job(5, text="killer"))
    for _ in range(9):
        world.batch(world.runtime(score=scoring(failing)))
        assert "unfinishedClaims" not in world.dynamodb.fields("ScoringJob", KILLER)
        world.skip(1801)
    assert world.status(KILLER) == "PENDING"
    assert world.reasons() == []


def waits_for(ended: Callable[[], bool]) -> Any:
    """Return an engine in which the killer runs until `ended`; the others end at once."""

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        if item.text == "killer":
            pause = threading.Event()
            for _ in range(100 * LIMIT_S):
                if ended():
                    return plexus.Result("Yes")
                pause.wait(0.01)
            raise AssertionError("the other jobs wait for this one")
        return plexus.Result("Yes")

    return scoring(score)


def test_a_response_is_sent_while_another_job_runs(world: World) -> None:
    """The responses of nine committed jobs are sent, and their outbox entries deleted, while the tenth still runs."""
    innocent = send(world, False)

    def has_ended() -> bool:
        return set(world.sent_results()) >= set(map(derive_result_id, innocent)) and not world.dynamodb.ids("Outbox")

    assert world.batch(world.runtime(score=waits_for(has_ended))) == []
    assert world.status(KILLER) == "COMPLETED"


def test_a_failure_is_recorded_while_another_job_runs(world: World) -> None:
    """Poison and a job without text have their outcomes while another job of their batch still runs."""
    world.send_jobs(world.job(5, text="killer"), world.job(1, text=" "))
    world.send("poison")

    def has_ended() -> bool:
        return world.status("job-1") == "FAILED" and world.sqs.bodies("dead") == ["poison"]

    assert world.batch(world.runtime(score=waits_for(has_ended))) == []
    assert world.status(KILLER) == "COMPLETED"


def test_committed_jobs_are_answered_before_any_is_scored(world: World) -> None:
    """The unsent response of a COMPLETED job is sent before another job of its batch is scored."""
    world.job(1, status="COMPLETED")
    world.dynamodb.put("Outbox", id="job-1", scoreResultId=derive_result_id("job-1"), created=world.time)
    world.send_jobs(world.job(5, text="killer"), "job-1")
    calls: list[list[str]] = []

    def score(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        calls.append(world.sent_results())
        return plexus.Result("Yes")

    assert world.batch(world.runtime(score=scoring(score))) == []
    assert calls == [[derive_result_id("job-1")]]
