"""The invocation's end: what was not begun in time goes back without blame, what ran into it has its fate."""

import threading

import plexus
from handler.clock import Clock
from tests.memory.world import Context, World, scoring


def test_what_no_thread_came_to_is_not_to_blame(world: World) -> None:
    """Where one thread does a batch and the first score never ends, the second job is PENDING with a fresh message.

    Both were received for the last time: the job that ran is FAILED, the one that was not begun is not.
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


def test_no_score_is_begun_too_late(world: World) -> None:
    """A job that waited for a thread until the reserve began is handed back at once, the one before it is done."""
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
