"""The heartbeat keeps the leases and the messages of long jobs while other jobs of the batch end."""

import threading
import time
from concurrent.futures import Future
from typing import Any

import plexus
from handler.clock import Clock
from handler.crash_points import Step
from tests.memory.world import World, scoring

LEASE_S = 0.9  # three beats a lease
LIMIT_S = 120


class Staggered:
    """Ten jobs that end one after the other: each ends once the worker has committed the one before it.

    The worker's time goes on by two thirds of a beat with each, so that no beat passes without an end.
    """

    def __init__(self, world: World) -> None:
        self.world, self.now = world, 0.0
        self.renewed: list[str] = []
        self.beats: list[Future[None]] = []
        world.send_jobs(*(world.job(number, text=f"{number} refund") for number in range(1, 11)))

    def note(self, step: Step, subject: str) -> None:
        """Keep the jobs whose leases are renewed."""
        self.renewed += [subject] if step is Step.RENEW else []

    def score(self, item: plexus.Item, context: plexus.Context) -> plexus.Result:
        """Score when the job before this one is done, and no call of a beat is under way."""
        number, ends = int((item.text or "0").split()[0]), time.monotonic() + LIMIT_S
        while number > 1 and not (self.is_done(number - 1) and all(call.done() for call in self.beats)):
            assert time.monotonic() < ends
            time.sleep(0.002)
        self.now += LEASE_S * 2 / 9
        return plexus.Result("Yes")

    def is_done(self, number: int) -> bool:
        """Return whether a job is committed."""
        return self.world.status(f"job-{number}") == "COMPLETED"

    def run(self) -> None:
        """Work all ten in one batch."""
        clock = Clock(lambda: self.world.time, lambda: self.now)
        runtime = self.world.runtime(self.note, scoring(self.score), clock, lease=LEASE_S, clock_skew=0.0)
        heartbeat = runtime.worker.heartbeat
        beat = heartbeat.beat

        def keep(*arguments: Any) -> list[Future[None]]:
            calls = beat(*arguments)
            self.beats += calls
            return calls

        heartbeat.beat = keep  # type: ignore[method-assign, assignment]  # counts its calls
        runtime.worker.linger = 0.0
        assert self.world.batch(runtime) == []


def test_leases_are_renewed_while_other_jobs_of_the_batch_end(world: World) -> None:
    """The lease of a long job is renewed in each heartbeat, even if another job ends in it."""
    jobs = Staggered(world)
    jobs.run()
    assert jobs.renewed.count("job-10") >= 2


def test_all_messages_of_a_batch_stay_hidden_until_its_end(world: World) -> None:
    """Each heartbeat also hides the messages of finished jobs, which are deleted with the batch only."""
    hidden: list[int] = []

    def count(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation == "ChangeMessageVisibilityBatch":
            hidden.append(len(request["Entries"]))

    world.wire.fault = count
    Staggered(world).run()
    assert len(hidden) >= 2
    assert set(hidden) == {10}


def _renews(operation: str, phase: str, request: dict[str, Any]) -> bool:
    """Return whether this is the beginning of a renewal."""
    return phase == "before" and operation == "UpdateItem" and request["UpdateExpression"].startswith("SET leaseUntil")


def test_the_leases_of_a_batch_are_renewed_at_the_same_time(world: World) -> None:
    """Ten renewals are under way together, so that slow answers do not add up."""
    together, renewed = threading.Barrier(10), threading.Event()

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if _renews(operation, phase, request) and not renewed.is_set():
            together.wait(LIMIT_S)
            renewed.set()

    def long(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        assert renewed.wait(LIMIT_S)
        return plexus.Result("Yes")

    world.wire.fault = fault
    world.send_jobs(*(world.job(number) for number in range(10)))
    clock = Clock(wall=lambda: world.time)
    assert world.batch(world.runtime(score=scoring(long), clock=clock, lease=LEASE_S)) == []


def test_a_renewal_that_hangs_delays_neither_a_response_nor_the_end(world: World) -> None:
    """While the renewals of two jobs hang, one job ends and is answered; then the other, and the invocation ends."""
    hangs, ended = threading.Event(), threading.Event()

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if _renews(operation, phase, request):
            hangs.set()
            assert ended.wait(LIMIT_S), "the worker waits for a renewal"

    def long(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        assert hangs.wait(LIMIT_S)
        return plexus.Result("Yes")

    world.wire.fault = fault
    world.send_jobs(world.job(1), world.job(2))
    clock = Clock(wall=lambda: world.time)
    assert world.batch(world.runtime(score=scoring(long), clock=clock, lease=LEASE_S)) == []
    assert len(world.sent_results()) == 2
    ended.set()


def test_a_slow_read_does_not_delay_the_first_renewal(world: World) -> None:
    """Beats are counted from the claim: if the read takes half a lease, the lease is renewed as soon as it ends."""
    now, renewed = [0.0], threading.Event()

    def fault(operation: str, phase: str, request: dict[str, Any]) -> None:
        if operation == "BatchGetItem" and phase == "after":
            now[0] += LEASE_S / 2
        if _renews(operation, phase, request):
            renewed.set()

    def long(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        assert renewed.wait(LIMIT_S)
        return plexus.Result("Yes")

    world.wire.fault = fault
    world.send_jobs(world.job())
    clock = Clock(lambda: world.time, lambda: now[0])
    assert world.batch(world.runtime(score=scoring(long), clock=clock, lease=LEASE_S)) == []
