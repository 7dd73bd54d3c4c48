"""Jobs that the original worker left: their records have no lease, and count no attempts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handler.records import ORIGINAL_ATTEMPT, derive_result_id
from handler.settings import LONGEST_LEASE
from tests.memory.world import World

SKEW_S = 30.0


def format_time(wall: float) -> str:
    """Return a time as the original writes it: Python's isoformat, with microseconds and an offset."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")


def test_a_job_that_the_original_failed_is_worked(world: World) -> None:
    """The original sets FAILED after each failure, although the queue delivers the message again: it is scored."""
    left: Any = {
        "startedAt": format_time(world.time - 20),
        "completedAt": format_time(world.time - 5),
        "errorMessage": "timed out",
    }
    world.send_jobs(world.job(status="FAILED", updatedAt=format_time(world.time - 5), **left))
    assert world.batch(world.runtime()) == []
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], job["attempts"]) == ("COMPLETED", 1)
    assert "errorMessage" not in job
    assert world.sent_results() == [derive_result_id("job-1")]


@pytest.mark.parametrize(
    "record",
    [{"startedAt": format_time(1.7e9), "attempts": 1}, {"attempts": 2}, {}],
    ids=["ours", "no start", "by hand"],
)
def test_another_failed_job_stays_failed(world: World, record: Any) -> None:
    """A job that this worker failed, or that somebody set to FAILED before any attempt, is not scored."""
    world.send_jobs(world.job(status="FAILED", errorMessage="no", **record))
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "FAILED"
    assert world.dynamodb.ids("ScoreResult") == set()


def test_an_attempt_of_the_original_is_left_alone_until_it_must_have_ended(world: World) -> None:
    """While the original may still run a job, it is not run twice; 300 s and the clock skew after its start it is."""
    runtime = world.runtime()
    world.send_jobs(world.job(status="IN_PROGRESS", startedAt=format_time(world.time - 100)))
    assert len(world.batch(runtime)) == 1
    assert "the original's worker may still run the scoring job for up to 230 s" in world.output.getvalue()
    assert world.status("job-1") == "IN_PROGRESS"
    world.skip(225)
    assert world.batch(runtime) == []  # its message is hidden until then
    assert world.status("job-1") == "IN_PROGRESS"
    world.skip(10)
    world.batch(runtime)
    assert world.status("job-1") == "COMPLETED"


@pytest.mark.parametrize(
    ("age", "is_claimed"),
    [
        (ORIGINAL_ATTEMPT + SKEW_S - 1, False),
        (ORIGINAL_ATTEMPT + SKEW_S + 1, True),
        (-LONGEST_LEASE - SKEW_S + 1, False),
        (-LONGEST_LEASE - SKEW_S - 1, True),
    ],
)
def test_the_start_of_an_attempt_decides(world: World, age: float, is_claimed: bool) -> None:
    """A clock may differ by 30 s; a start that lies further in the future than a lease can end is none."""
    world.send_jobs(world.job(status="IN_PROGRESS", startedAt=format_time(world.time - age)))
    world.batch(world.runtime())
    assert (world.status("job-1") == "COMPLETED") is is_claimed


@pytest.mark.parametrize("start", [{"S": "soon"}, {"S": ""}, {"N": "1799999999"}, {"NULL": True}, {"L": []}])
def test_a_start_that_is_no_time_keeps_no_job(world: World, start: dict[str, object]) -> None:
    """A job IN_PROGRESS whose record has no start that can be read is claimed, never IN_PROGRESS for ever."""
    world.send_jobs(world.job(status="IN_PROGRESS"))
    world.dynamodb.tables["ScoringJob"]["job-1"]["startedAt"] = start
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_a_lease_decides_over_a_start(world: World) -> None:
    """This worker's own jobs are taken over after their lease, however lately they were started."""
    world.send_jobs(
        world.job(
            status="IN_PROGRESS", startedAt=format_time(world.time - 60), leaseOwner="x", leaseUntil=world.time - 31
        )
    )
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


CARD = """
name: Long call
id: 41028
graph:
  - name: length
    class: LogicalClassifier
    code: |
      def score(parameters, input):
          return Score.Result(value="Yes" if input.metadata.get("duration") > 600 else "No")
output: {value: classification}
"""


@pytest.mark.parametrize(
    "metadata", ['{"duration": "754"}', {"duration": "754"}, '{"duration": 754}', '"{\\"duration\\": 754}"']
)
def test_a_score_of_the_original_reads_metadata_as_it_did_there(world: World, metadata: object) -> None:
    """An item's metadata is AWSJSON, and its values may be JSON text again: the number is a number."""
    world.dynamodb.put("ScoreVersion", id="version-1", scoreId="score-1", configuration=CARD)
    world.dynamodb.put("Score", id="score-1", scorecardId="card-1", name="Long call", championVersionId="version-1")
    job = world.job()
    world.dynamodb.put("Item", id="item-1", accountId="account-1", text="Good morning.", metadata=metadata)
    world.send_jobs(job)
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["value"] == "Yes"
