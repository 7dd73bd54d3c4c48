import json
from pathlib import Path
from typing import Any

import pytest

import plexus
from handler.records import derive_result_id
from plexus.artifacts.manifest import compute_digest
from tests.memory.world import Context, World, scoring

MADE_FOR = {"accountId": "account-1", "itemId": "item-1", "scorecardId": "card-1", "scoreId": "score-1"}


def test_a_job_gets_one_result_one_response_and_completes(world: World) -> None:
    """A completed job has a result with provenance, no lease, one response, and nothing left in queue or outbox."""
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    result = world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert result["value"] == "Yes"
    assert (result["scoringJobId"], result["scoreVersionId"], result["code"]) == ("job-1", "version-1", "200")
    assert result["configurationHash"]
    assert result["engineVersion"] == plexus.ENGINE_VERSION
    assert (job["status"], job["attempts"], "leaseOwner" in job) == ("COMPLETED", 1, False)
    assert world.sent_results() == [result["id"]]
    assert world.sqs.bodies("requests") == []
    assert world.dynamodb.ids("Outbox") == set()


def test_a_result_has_all_counts_of_its_usage(world: World) -> None:
    """The record of a result has the tokens of each kind, and the calls whose tokens are unknown."""
    usage = plexus.Usage(2, 40, 30, 20, 10, 1, 6, 4)
    world.send_jobs(world.job())
    world.batch(world.runtime(score=scoring(lambda *_: plexus.Result("Yes", usage=usage))))
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["metadata"]["usage"] == {
        "calls": 2,
        "inputTokens": 40,
        "outputTokens": 30,
        "cachedTokens": 20,
        "reasoningTokens": 10,
        "unmetered": 1,
        "writtenTokens": 6,
        "hourTokens": 4,
    }


def test_a_single_job_takes_five_calls(world: World) -> None:
    """A warm environment claims, reads, commits, responds and deletes the outbox entry: five calls."""
    runtime = world.runtime()
    world.send_jobs(world.job(1))
    world.batch(runtime)
    world.wire.made.clear()
    world.send_jobs(world.job(2))
    world.batch(runtime)
    created = [call for call in world.wire.made if call not in ("SendMessage", "DeleteMessage")]
    assert created == ["UpdateItem", "BatchGetItem", "TransactWriteItems", "SendMessageBatch", "BatchWriteItem"]


def test_a_batch_of_ten_shares_all_but_its_claims(world: World) -> None:
    """Ten jobs that end together take ten claims, one read, one commit, one send, one deletion: 1.4 calls each."""
    runtime = world.runtime()
    runtime.worker.linger = 120.0  # they end together however slow the machine is
    world.send_jobs(world.job(0))
    world.batch(runtime)
    world.wire.made.clear()
    world.send_jobs(*(world.job(number) for number in range(1, 11)))
    assert world.batch(runtime) == []
    assert len(world.wire.made) == 14
    assert len(set(world.sent_results())) == 11


def test_a_duplicate_of_a_completed_job_does_nothing(world: World) -> None:
    """A second delivery is consumed without scoring, without a second result and without a second response."""
    runtime = world.runtime()
    world.send_jobs(world.job())
    world.batch(runtime)
    world.send_jobs("job-1")
    assert world.batch(runtime) == []
    assert len(world.dynamodb.ids("ScoreResult")) == 1
    assert len(world.sent_results()) == 1


def test_duplicates_in_one_batch_make_one_result(world: World) -> None:
    """One of two messages for a job in one batch is processed; the other is delivered again, and consumed."""
    runtime = world.runtime()
    world.send_jobs(world.job(), "job-1")
    world.batch(runtime)
    world.skip(1800)
    assert world.batch(runtime) == []
    assert set(world.sent_results()) == {derive_result_id("job-1")}
    assert world.dynamodb.ids("ScoreResult") == {derive_result_id("job-1")}


def test_a_leased_job_is_taken_over_after_its_lease(world: World) -> None:
    """The message of a leased job is hidden until the lease and the clock skew are over; then the job is claimed."""
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


def test_a_leased_job_keeps_a_message_at_the_last_receive(world: World) -> None:
    """At the last receive, the message of a leased job is replaced by a fresh copy."""
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
    """A worker that lost its lease while scoring neither writes a result nor changes the job."""

    def slow(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        job = world.dynamodb.tables["ScoringJob"]["job-1"]
        job["leaseOwner"] = {"S": "another"}
        return plexus.Result("Yes")

    world.send_jobs(world.job())
    assert len(world.batch(world.runtime(score=scoring(slow)))) == 1
    assert world.dynamodb.ids("ScoreResult") == set()
    assert world.dynamodb.fields("ScoringJob", "job-1")["leaseOwner"] == "another"
    assert world.sent_results() == []


def test_an_existing_result_is_adopted_without_scoring(world: World) -> None:
    """A PENDING job that already has a result is completed with it; nothing is scored."""

    def never(item: plexus.Item, context: plexus.Context) -> plexus.Result:
        raise AssertionError("scored a second time")

    world.dynamodb.put("ScoreResult", id=derive_result_id("job-1"), value="No", **MADE_FOR)
    world.send_jobs(world.job())
    assert world.batch(world.runtime(score=scoring(never))) == []
    assert world.status("job-1") == "COMPLETED"
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["value"] == "No"


@pytest.mark.parametrize("other", [*MADE_FOR, "none"])
@pytest.mark.parametrize("value", ["another", None])
def test_a_result_of_another_item_is_not_adopted(world: World, other: str, value: str | None) -> None:
    """A job that was made again under its id, for another item, score or account, is FAILED with that reason."""
    world.dynamodb.put("ScoreResult", id=derive_result_id("job-1"), value="No", **{**MADE_FOR, other: value})
    world.send_jobs(world.job())
    assert world.batch(world.runtime()) == []
    if other == "none":
        assert world.status("job-1") == "COMPLETED"
        return
    job = world.dynamodb.fields("ScoringJob", "job-1")
    assert (job["status"], world.sent_results()) == ("FAILED", [])
    assert job["errorMessage"].startswith(
        f"ForeignResult: ScoreResult {derive_result_id('job-1')} exists with another {other}:"
    )
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["value"] == "No"


def test_a_job_without_a_score_uses_the_only_one_of_its_scorecard(world: World) -> None:
    """A job may omit its score if its scorecard has exactly one."""
    world.send_jobs(world.job(scoreId=None))
    assert world.batch(world.runtime()) == []
    assert world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["scoreId"] == "score-1"


def test_a_job_needs_no_external_ids(world: World) -> None:
    """A job is scored although neither it nor any record that it names has an external id."""
    world.send_jobs(world.job())
    records = [item for table in world.dynamodb.tables.values() for item in table.values()]
    assert not [name for item in records for name in item if "external" in name.lower()]
    assert world.batch(world.runtime()) == []
    assert world.status("job-1") == "COMPLETED"


def test_large_texts_and_results_are_stored_in_s3(tmp_path: Path) -> None:
    """A text is read through its pointer, and a trace beyond the limit becomes a pointer; digests are verified."""
    world = World(tmp_path, bucket="artifacts")
    runtime = world.runtime(score=scoring(lambda item, _context: plexus.Result("Yes", trace={"text": item.text})))
    text = "refund é " * 60_000
    pointer: Any = runtime.worker.scoring.large_fields.put("item-1", "text", text)
    world.send_jobs(world.job(text=None))
    world.dynamodb.tables["Item"]["item-1"]["text"] = pointer
    assert world.batch(runtime) == []
    trace = world.dynamodb.fields("ScoreResult", derive_result_id("job-1"))["trace"]
    stored = world.objects[f"artifacts/{trace['s3']}"]
    assert json.loads(stored)["text"] == text
    assert (trace["bytes"], trace["digest"]) == (len(stored), compute_digest(stored))
    assert world.dynamodb.fields("ScoringJob", "job-1")["status"] == "COMPLETED"


@pytest.mark.parametrize("remaining", [0.0, 5.0])
def test_without_time_no_job_is_claimed(world: World, remaining: float) -> None:
    """With less time than the reserve, all records are returned, and no job is changed."""
    world.send_jobs(world.job(1), world.job(2))
    assert len(world.batch(world.runtime(), context=Context(remaining))) == 2
    assert {world.status("job-1"), world.status("job-2")} == {"PENDING"}
    assert {world.dynamodb.fields("ScoringJob", job).get("attempts") for job in ("job-1", "job-2")} == {None}


def test_a_large_text_without_a_bucket_names_the_missing_setting(world: World) -> None:
    """If a record points to S3 and the function has no bucket, the job is retried, and its reason says what to set."""
    world.send_jobs(world.job(text={"s3": "items/item-1", "bytes": 9, "digest": "sha256:0"}))
    assert len(world.batch(world.runtime())) == 1
    record = world.dynamodb.fields("ScoringJob", "job-1")
    reason = "Misconfigured: a record points to S3, and PLEXUS_ARTIFACT_BUCKET is unset"
    assert (record["status"], record["errorMessage"]) == ("PENDING", reason)
