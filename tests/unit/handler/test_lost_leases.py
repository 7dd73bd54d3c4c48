"""Workers that lose a job's lease to another are not taken for workers that ended with it."""

import threading

import pytest

import plexus
from plexus.exceptions import NotApplicable, ScoringFailed
from tests.memory.world import World, scoring

LIMIT_S = 120


class Late:
    """A worker that scores its job until it is released, long after its lease."""

    def __init__(self, world: World) -> None:
        self.world, self.scores, self.ends = world, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.world.batch(self.world.runtime(score=scoring(self._score)))
        self.scores.set()  # also if the job was not scored

    def _score(self, item: plexus.Item, context: plexus.Context) -> plexus.Result:
        self.scores.set()
        assert self.ends.wait(LIMIT_S)
        return plexus.Result("Yes")

    def release(self) -> None:
        """Let the worker end."""
        self.ends.set()
        self.thread.join(LIMIT_S)


def test_a_worker_that_lost_its_lease_is_no_death(world: World) -> None:
    """However often slow workers lose a job's lease to one another, the job is not taken for one that ends them."""
    world.requests.max_receive_count = 100
    world.send_jobs(world.job())
    workers: list[Late] = []
    for _ in range(6):
        workers.append(Late(world))
        assert workers[-1].scores.wait(LIMIT_S)
        for late in workers[-2:-1]:
            late.release()
        world.skip(1801)
    workers[-1].release()
    assert world.status("job-1") == "COMPLETED"
    assert "unfinishedClaims" not in world.dynamodb.fields("ScoringJob", "job-1")
    assert world.reasons() == []


@pytest.mark.parametrize("error", [ScoringFailed("down", transient=True), NotApplicable("no")])
def test_a_failure_after_a_lost_lease_withdraws_its_claim(world: World, error: Exception) -> None:
    """A worker whose job fails once another worker has leased it leaves that lease, and only the other's claim."""

    def overtake(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        fields = world.dynamodb.fields("ScoringJob", "job-1")
        claims = {"leaseOwner": "another", "leaseUntil": world.time + 60, "unfinishedClaims": 2}
        world.dynamodb.put("ScoringJob", **{**fields, **claims})
        raise error

    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(overtake)))) == 1
    fields = world.dynamodb.fields("ScoringJob", "job-1")
    assert (fields["status"], fields["leaseOwner"], fields["unfinishedClaims"]) == ("IN_PROGRESS", "another", 1)


def test_a_withdrawn_claim_never_counts_below_zero(world: World) -> None:
    """If an outcome has removed the count meanwhile, nothing is subtracted from a later one."""
    world.job(1)
    world.job(2, unfinishedClaims=0)
    for job in ("job-1", "job-2"):
        world.runtime().store.withdraw_claim(job)
        assert world.dynamodb.fields("ScoringJob", job).get("unfinishedClaims", 0) == 0
