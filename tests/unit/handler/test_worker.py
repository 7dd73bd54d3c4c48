import json
from pathlib import Path

import pytest

import plexus
from handler.records import result_id
from tests.memory.world import World, scoring


def test_a_job_gets_one_result_one_response_and_completes(world: World) -> None:
    """The whole of a good job: result with provenance, job COMPLETED without lease, response, nothing left over."""
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    result = world.dynamodb.fields("ScoreResult", result_id("job-1"))
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert result["value"] == "Yes"
    assert (result["scoringJobId"], result["scoreVersionId"], result["code"]) == ("job-1", "version-1", "200")
    assert result["configurationHash"]
    assert result["engineVersion"] == plexus.ENGINE_VERSION
    assert (job["status"], job["attempts"], "leaseOwner" in job) == ("COMPLETED", 1, False)
    assert world.sent_results() == [result["id"]]
    assert world.sqs.bodies("requests") == []
    assert world.dynamodb.ids("Outbox") == set()


def test_a_job_alone_takes_five_calls(world: World) -> None:
    """A warm environment claims, reads once, commits once, sends and marks: five calls."""
    runtime = world.runtime()
    world.send_jobs(world.job(1))
    world.batch(runtime)
    world.wire.made.clear()
    world.send_jobs(world.job(2))
    world.batch(runtime)
    made = [call for call in world.wire.made if call not in ("SendMessage", "DeleteMessage")]
    assert made == ["UpdateItem", "BatchGetItem", "TransactWriteItems", "SendMessageBatch", "BatchWriteItem"]


def test_a_batch_of_ten_shares_reads_sends_and_marks(world: World) -> None:
    """Ten jobs take ten claims, ten commits, and one each of read, send and mark: 2.3 calls a job."""
    runtime = world.runtime()
    world.send_jobs(world.job(0))
    world.batch(runtime)
    world.wire.made.clear()
    world.send_jobs(*(world.job(number) for number in range(1, 11)))
    assert world.batch(runtime) == []
    assert len(world.wire.made) == 23
    assert len(set(world.sent_results())) == 11


def test_a_duplicate_of_a_completed_job_does_nothing(world: World) -> None:
    """A second delivery is consumed: no second result, no second response, no second scoring."""
    runtime = world.runtime()
    world.send_jobs(world.job())
    world.batch(runtime)
    world.send_jobs("job-1")
    assert world.batch(runtime) == []
    assert len(world.dynamodb.ids("ScoreResult")) == 1
    assert len(world.sent_results()) == 1


def test_duplicates_in_one_batch_make_one_result(world: World) -> None:
    """Two deliveries of a job in one batch: one works, the other comes back and is consumed later."""
    runtime = world.runtime()
    world.send_jobs(world.job(), "job-1")
    world.batch(runtime)
    world.skip(1800)
    assert world.batch(runtime) == []
    assert set(world.sent_results()) == {result_id("job-1")}
    assert world.dynamodb.ids("ScoreResult") == {result_id("job-1")}


def test_a_job_that_another_worker_holds_comes_back_after_its_lease(world: World) -> None:
    """A leased job is left alone; its message hides until lease and clock skew are over, then the job is taken over."""
    runtime = world.runtime()
    until = world.time + 40
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=until))
    assert len(world.batch(runtime)) == 1
    world.skip(60)
    assert world.batch(runtime) == []
    assert world.status("job-1") == "IN_PROGRESS"
    world.skip(20)
    world.batch(runtime)
    assert world.status("job-1") == "COMPLETED"


def test_at_the_last_receive_a_held_job_keeps_a_message(world: World) -> None:
    """Where another worker holds the job at the last receive, a fresh copy of the message waits for its lease."""
    runtime = world.runtime()
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 40))
    world.requests.messages[0].receives = 2
    assert world.batch(runtime) == []
    assert world.reasons() == []
    assert len(world.sqs.bodies("requests")) == 1
    world.skip(100)
    world.batch(runtime)
    assert world.status("job-1") == "COMPLETED"


def test_a_late_owner_writes_nothing(world: World) -> None:
    """A worker whose lease was taken over while it scored neither writes a result nor touches the job."""

    def slow(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        job = world.dynamodb.tables["ScoringJob"]["job-1"]
        job["leaseOwner"] = {"S": "another"}
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(slow)))) == 1
    assert world.dynamodb.ids("ScoreResult") == set()
    assert world.dynamodb.fields("ScoringJob", "job-1")["leaseOwner"] == "another"
    assert world.sent_results() == []


def test_a_result_that_exists_is_adopted_without_scoring(world: World) -> None:
    """A job that was put back to PENDING although it has a result completes with it; no provider is called."""

    def never(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise AssertionError("scored a second time")

    world.dynamodb.put("ScoreResult", id=result_id("job-1"), value="No")
    world.send_jobs(world.job())
    assert world.batch(world.runtime(score=scoring(never))) == []
    assert world.status("job-1") == "COMPLETED"
    assert world.dynamodb.fields("ScoreResult", result_id("job-1"))["value"] == "No"


def test_a_job_without_score_takes_the_scorecards_only_one(world: World) -> None:
    """A job may leave the score out where its scorecard has one."""
    world.send_jobs(world.job(scoreId=None))
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.fields("ScoreResult", result_id("job-1"))["scoreId"] == "score-1"


def test_a_job_needs_no_external_ids(world: World) -> None:
    """Ids are enough: a job is scored though neither it nor any record that it names has an external id."""
    world.send_jobs(world.job())
    records = [item for table in world.dynamodb.tables.values() for item in table.values()]
    assert not [name for item in records for name in item if "external" in name.lower()]
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_large_texts_and_results_pass_through_s3(tmp_path: Path) -> None:
    """A text is read by its pointer, and a trace past the record's limit is kept by one; both verified by digest."""
    world = World(tmp_path, bucket="artifacts")
    runtime = world.runtime(score=scoring(lambda item, _context: plexus.Result("Yes", trace={"text": item.text})))
    text = "refund é " * 60_000
    pointer = runtime.worker.scoring.objects._keep("item-1", "text", text)
    world.send_jobs(world.job(text=None))
    world.dynamodb.tables["Item"]["item-1"]["text"] = pointer
    assert world.batch(runtime) == []
    trace = world.dynamodb.fields("ScoreResult", result_id("job-1"))["trace"]
    assert json.loads(world.objects[f"artifacts/{trace['s3']}"])["text"] == text
    assert world.dynamodb.fields("ScoringJob", "job-1")["status"] == "COMPLETED"


@pytest.mark.parametrize("remaining", [0.0, 5.0])
def test_without_time_nothing_is_begun(world: World, remaining: float) -> None:
    """With less time than the reserve no job is claimed: all records come back at once, and no job is touched."""
    from tests.memory.world import Context

    world.send_jobs(world.job(1), world.job(2))
    assert len(world.batch(world.runtime(), context=Context(remaining))) == 2
    assert {world.status("job-1"), world.status("job-2")} == {"PENDING"}
    if remaining:
        assert all(message.visible <= world.time for message in world.requests.messages)
