"""The heartbeat: what keeps long jobs ours while others of their batch end."""

import threading
import time
from typing import Any

import plexus
from handler.clock import Clock
from handler.steps import Step
from tests.memory.world import World, scoring

LEASE_S = 0.9  # three beats a lease
LONG_S = 1.3


def staggered(world: World) -> Any:
    """An engine that takes an item's number in tenths of LONG_S: in every beat some job ends."""

    def take(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        time.sleep(LONG_S * float((item.text or "0").split()[0]) / 10)
        return plexus.Result("Yes")

    return scoring(take)


def test_leases_are_renewed_although_other_jobs_of_the_batch_end(world: World) -> None:
    """A long job's lease is renewed again and again, although another job ends in each of its beats."""
    renewed: list[str] = []
    lock = threading.Lock()

    def note(step: Step, subject: str) -> None:
        with lock:
            renewed.extend([subject] if step is Step.RENEW else [])

    world.send_jobs(*(world.job(number, text=f"{number} refund") for number in range(1, 11)))
    runtime = world.runtime(note, staggered(world), Clock(), lease=LEASE_S, clock_skew=0.0)
    assert world.batch(runtime) == []
    assert renewed.count("job-10") >= 2


def test_messages_of_a_batch_stay_hidden_until_all_of_it_is_done(world: World) -> None:
    """Each beat hides the messages of the jobs that ended already too: they are deleted with the batch only."""
    hidden: list[int] = []

    def count(operation: str, phase: str, request: dict[str, Any]) -> None:
        if phase == "before" and operation == "ChangeMessageVisibilityBatch":
            hidden.append(len(request["Entries"]))

    world.wire.fault = count
    world.send_jobs(*(world.job(number, text=f"{number} refund") for number in range(1, 11)))
    assert world.batch(world.runtime(score=staggered(world), clock=Clock(), lease=LEASE_S, clock_skew=0.0)) == []
    assert hidden
    assert set(hidden) == {10}
