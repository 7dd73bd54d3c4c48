"""A shadow run: the result of a job's item, without any effect."""

import copy
from typing import Any

import pytest

import plexus
from handler.clock import Clock
from plexus.exceptions import ScoringFailed
from tests.memory.world import World, scoring

READS = {"GetItem", "BatchGetItem", "Query"}


def shadow(world: World, job: str = "job-1", **changed: Any) -> tuple[int, dict[str, Any]]:
    """Run a job in the shadow."""
    return world.invoke(world.runtime(**changed), {"source": "shadow", "scoring_job_id": job})


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS", "COMPLETED", "FAILED"])
def test_a_shadow_run_returns_the_result_and_changes_nothing(world: World, status: str) -> None:
    """A job of any status is scored by reads alone: no record, queue or object differs afterwards."""
    world.send_jobs(world.job(status=status, leaseOwner="another", leaseUntil=world.time + 60))
    before = copy.deepcopy(world.dynamodb.tables)
    code, body = shadow(world)
    assert (code, body["result"]["value"], body["result"]["explanation"]) == (200, "Yes", "Found “refund”.")
    assert set(world.wire.made) <= READS
    assert world.dynamodb.tables == before
    assert (len(world.requests.messages), world.sqs.bodies("responses"), world.objects) == (1, [], {})


def test_a_result_that_exists_is_not_adopted(world: World) -> None:
    """The stored result is what the shadow is compared with, so the item is scored again."""
    world.send_jobs(world.job())
    world.batch(world.runtime(score=scoring(lambda *_: plexus.Result("No"))))
    assert shadow(world)[1]["result"]["value"] == "Yes"


def test_a_result_of_any_size_is_returned_without_a_bucket(world: World) -> None:
    """A large value that would be stored in S3 is in the answer; the trace, which no comparison reads, is left out."""
    large = plexus.Result("Yes", explanation="x" * 500_000, trace={"nodes": "y" * 500_000})
    world.job()
    code, body = shadow(world, score=scoring(lambda *_: large))
    assert (code, len(body["result"]["explanation"]), "trace" in body["result"]) == (200, 500_000, False)


@pytest.mark.parametrize(
    ("job", "code", "message"),
    [
        ("nobody", 404, "unknown job"),
        ("", 400, "invalid message body"),
        (None, 400, "invalid message body"),
        ("job-2", 500, "job of another account"),
        ("job-3", 500, "item without text"),
    ],
)
def test_a_job_that_cannot_be_scored_is_answered_with_its_cause(
    world: World, job: Any, code: int, message: str
) -> None:
    """The status and the cause are those of the error policy, and the job's record is left as it is."""
    world.job(2, accountId="account-2")
    world.job(3, text=" ")
    before = copy.deepcopy(world.dynamodb.tables)
    answer = shadow(world, job)
    assert (answer[0], answer[1]["message"], answer[1]["processed"]) == (code, message, False)
    assert world.dynamodb.tables == before


def test_the_error_of_a_shadow_run_quotes_no_text(world: World) -> None:
    """A failure's reason has neither the item's text nor a secret, in the answer and in the log."""

    def fail(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        raise ScoringFailed(f"no class in: {item.text} with a-secret-value")

    world.job(text="My card number is 4111 1111 1111 1111.")
    _, body = shadow(world, score=scoring(fail), secrets=("a-secret-value",))
    for place in (body["error"], world.output.getvalue()):
        assert "4111" not in place
        assert "a-secret-value" not in place


def test_a_shadow_run_reports_the_seconds_of_its_score(world: World) -> None:
    """The duration is that of the score alone, in milliseconds, on the monotonic clock."""
    now = [500.0]

    def slow(item: plexus.Item, _: plexus.Context) -> plexus.Result:
        now[0] += 2.3456
        return plexus.Result("Yes")

    world.job()
    _, body = shadow(world, score=scoring(slow), clock=Clock(lambda: world.time, lambda: now[0]))
    assert body["seconds"] == 2.346
