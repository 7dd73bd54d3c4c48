"""The end of an invocation: jobs that were not started are returned, and jobs that overran are failures."""

import threading
from collections import Counter

import plexus
from handler.clock import Clock
from tests.memory.world import Context, World, scoring


def test_a_job_that_no_thread_started_is_returned(world: World) -> None:
    """If the only thread is blocked by the first job, the second one is PENDING and has a fresh message.

    Both messages were received for the last time: the job that ran is FAILED, the one that was not started is not.
    """
    ended, now = threading.Event(), 0.0

    def stuck(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        nonlocal now
        now = 301.5 - world.settings.reserve
        ended.wait()
        return plexus.Result("Yes")

    world.requests.max_receive_count = 1
    world.send_jobs(world.job(1), world.job(2))
    try:
        clock = Clock(wall=lambda: world.time, monotonic=lambda: now)
        runtime = world.runtime(score=scoring(stuck), clock=clock, concurrency=1, lease=0.3)
        assert world.batch(runtime, context=Context(remaining=300.0)) == []
    finally:
        ended.set()
    assert (world.status("job-1"), world.status("job-2")) == ("FAILED", "PENDING")
    assert world.sqs.bodies("requests") == ['{"scoring_job_id": "job-2"}']
    assert [reason.split(":")[0] for reason in world.reasons()] == ["DeadlineExceeded"]


def test_no_score_is_started_after_the_deadline(world: World) -> None:
    """A job that waits for a thread until the reserve begins is returned; the job before it is completed."""
    begun: list[str] = []
    now = 0.0

    def slow(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        nonlocal now
        begun.append(str(item.text))
        now = 300.5 - world.settings.reserve
        return plexus.Result("Yes")

    world.send_jobs(world.job(1, text="one"), world.job(2, text="two"))
    clock = Clock(wall=lambda: world.time, monotonic=lambda: now)
    runtime = world.runtime(score=scoring(slow), clock=clock, concurrency=1)
    assert len(world.batch(runtime, context=Context(remaining=300.0))) == 1
    assert begun == ["one"]
    assert (world.status("job-1"), world.status("job-2")) == ("COMPLETED", "PENDING")
    assert len(world.sqs.receive(world.requests, 10)) == 1  # visible already


def test_no_job_is_claimed_after_a_slow_lookup_of_the_account(world: World) -> None:
    """If an environment's first lookup of its account takes until the reserve, the job is returned unclaimed."""
    now = 0.0

    def fault(operation: str, phase: str, request: object) -> None:
        nonlocal now
        now = 289.5 if operation == "Query" else now

    world.wire.fault = fault
    world.send_jobs(world.job())
    runtime = world.runtime(clock=Clock(wall=lambda: world.time, monotonic=lambda: now))
    assert len(world.batch(runtime, context=Context(remaining=300.0))) == 1
    assert "UpdateItem" not in world.wire.made
    assert len(world.sqs.receive(world.requests, 10)) == 1  # visible already


def test_a_timeout_below_the_reserve_ends_with_its_reason(world: World) -> None:
    """A function that never has time for a job retries with pauses, then dead-letters the message with the reason."""
    world.send_jobs(world.job())
    runtime, deliveries, begun = world.runtime(), Counter[float](), world.time
    for _ in range(600):  # seconds
        if world.sqs.bodies("requests"):
            before = len(world.lines())
            world.batch(runtime, context=Context(remaining=world.settings.reserve + 0.9))
            deliveries[world.time - begun] += len(world.lines()) > before
        world.skip(1)
    assert sum(deliveries.values()) == world.requests.max_receive_count
    assert world.status("job-1") == "PENDING"
    (reason,) = world.reasons()
    assert reason.startswith("Misconfigured: the function has 10.9 s, expected at least 11 s")


def test_a_message_without_time_is_logged_with_what_was_left(world: World) -> None:
    """If reads use up the invocation, its messages are returned unclaimed, and their lines say what time was left."""
    now = [0.0]

    def fault(operation: str, phase: str, request: object) -> None:
        now[0] = 299.7 if operation == "GetItem" else now[0]

    world.send_jobs(world.job(1), world.job(2))
    for message in world.requests.messages:
        message.receives = 1  # so that their jobs are read before they are claimed
    world.wire.fault = fault
    assert len(world.batch(world.runtime(clock=Clock(lambda: world.time, lambda: now[0])))) == 2
    errors = [line["error"] for line in world.lines() if "error" in line]
    assert errors == ["OutOfTime: 0.3 s of the invocation are left"] * 2
    assert {world.status("job-1"), world.status("job-2")} == {"PENDING"}
