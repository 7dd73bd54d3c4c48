"""The doctor names what is broken, and dead letters go back to work without loss."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scripts import _dead_letters, _scenario, _tables, configure, deploy
from scripts._dead_letters import Letter, Redriven
from scripts._errors import OperationFailed
from scripts._seed import encode
from scripts.doctor import diagnose
from tests.e2e.staged import Staged, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """The local stage, deployed and configured, with nothing feeding the function."""
    with staged("doctor", tmp_path_factory.mktemp("images")) as found:
        deploy.deploy(found.aws, found.image("first"))
        configure.configure(found.aws)
        yield found


def verdicts(stage: Staged) -> dict[str, str]:
    """The verdict on each thing."""
    return {one.name: one.verdict for one in diagnose(stage.aws).findings}


def test_a_healthy_stage_has_nothing_broken(stage: Staged) -> None:
    """Everything is looked at, nothing is bad, and the exit code is 0."""
    found = diagnose(stage.aws)
    assert [one for one in found.findings if one.verdict in ("bad", "skipped")] == []
    assert (len(found.findings), found.exit_code) == (14, 0)


def test_a_missing_variable_is_named_with_its_remedy(stage: Staged) -> None:
    """A version without one of its variables is bad, and `make config` is the next step, which mends it."""
    client = stage.aws.client("lambda")
    variables = client.get_function_configuration(FunctionName=stage.function)["Environment"]["Variables"]
    del variables["PLEXUS_ACCOUNT_KEY"]
    client.update_function_configuration(FunctionName=stage.function, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=stage.function, WaiterConfig={"Delay": 1})
    deploy.deploy(stage.aws, stage.image("first"))
    (found,) = [one for one in diagnose(stage.aws).findings if one.name == "environment"]
    assert (found.verdict, found.detail, found.remedy) == ("bad", "absent: PLEXUS_ACCOUNT_KEY", "make config")
    configure.configure(stage.aws)
    assert verdicts(stage)["environment"] == "ok"


def test_an_error_of_the_last_hour_is_told_by_its_reason(stage: Staged) -> None:
    """The ids of a line would fill it; why the job had no result is what the doctor shows, and how to see the rest."""
    client, group = stage.aws.client("logs"), stage.aws.stage.log_group
    client.create_log_stream(logGroupName=group, logStreamName="doctor")
    line = {"aws_request_id": "0" * 200, "level": "ERROR", "message": "no result", "error": "Odd: it broke"}
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps(line)}
    client.put_log_events(logGroupName=group, logStreamName="doctor", logEvents=[event])
    (found,) = [one for one in diagnose(stage.aws).findings if one.name == "errors"]
    client.delete_log_stream(logGroupName=group, logStreamName="doctor")
    assert (found.verdict, found.detail) == ("look", "1 in the last hour, the last: no result: Odd: it broke")
    assert found.remedy == "make logs FOLLOW=0 LEVEL=ERROR SINCE=1h"


def test_a_visibility_below_the_timeout_is_bad(stage: Staged) -> None:
    """Messages that come back while they are worked on are found at the queue."""
    sqs, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.request)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
    try:
        assert verdicts(stage)["visibility"] == "bad"
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1800"})


def test_an_absent_repository_is_bad(stage: Staged) -> None:
    """Without its repository the stage is told how to make it."""
    found = stage.aws.client("ecr").describe_repositories()["repositories"][0]["repositoryName"]
    assert verdicts(stage)["repository"] == "ok"
    other = replace(stage, aws=type(stage.aws)(_elsewhere(stage), stage.aws.endpoint))
    (told,) = [one for one in diagnose(other.aws).findings if one.name == "repository"]
    assert (told.verdict, told.remedy) == ("bad", "make infra-deploy")
    assert found not in told.detail


def _elsewhere(stage: Staged) -> Any:
    return replace(stage.aws.stage, repository="plexus/another")


def letter(stage: Staged, body: str, reason: str = "") -> None:
    """Put a dead letter into the queue."""
    attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    url = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def job(stage: Staged, status: str) -> str:
    """A job's record in a state."""
    record = {"id": uuid.uuid4().hex, "accountId": "a", "status": status, "attempts": 5, "errorMessage": "why"}
    stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=encode(record))
    return str(record["id"])


@pytest.fixture
def failed(stage: Staged) -> Iterator[str]:
    """A FAILED job with its dead letter, in queues that hold nothing else; nothing feeds the function meanwhile."""
    _scenario.switch_event_source(stage.aws, enabled=False)
    names = stage.aws.stage.queues
    for name in (names.request, names.request_dead_letters):
        _scenario.receive(stage.aws, stage.aws.queue_url(name))
    made = job(stage, "FAILED")
    letter(stage, json.dumps({"scoring_job_id": made}), "ScoringFailed: no luck")
    yield made
    _scenario.switch_event_source(stage.aws, enabled=True)


def look(stage: Staged) -> list[Letter]:
    """The dead letters now."""
    with _dead_letters.held(stage.aws) as letters:
        return letters


def redrive(stage: Staged, *names: str, dry_run: bool = False) -> list[Redriven]:
    """Redrive the named letters, or all."""
    with _dead_letters.held(stage.aws) as letters:
        picked = _dead_letters.chosen(letters, names)
        return _dead_letters.redrive(stage.aws, picked, rate=100, dry_run=dry_run, say=lambda _: None)


def record(stage: Staged, job_id: str) -> dict[str, Any]:
    """A job's record."""
    return next(one for one in _tables.scan(stage.aws, "ScoringJob") if one["id"] == job_id)


def test_looking_at_dead_letters_leaves_them_there(stage: Staged, failed: str) -> None:
    """A list tells job and reason, and the next look sees the same."""
    (first,), (second,) = look(stage), look(stage)
    assert (first.scoring_job_id, first.reason) == (failed, "ScoringFailed: no luck")
    assert first.id == second.id


def test_a_redriven_job_is_pending_and_its_message_back(stage: Staged, failed: str) -> None:
    """A FAILED job becomes PENDING without its error, its message is in the request queue, its letter is gone."""
    assert [one.action for one in redrive(stage, failed)] == ["sent"]
    found = record(stage, failed)
    assert (found["status"], found["attempts"], "errorMessage" in found) == ("PENDING", 0, False)
    (message,) = _scenario.receive(stage.aws, stage.aws.queue_url(stage.aws.stage.queues.request))
    assert json.loads(message["Body"]) == {"scoring_job_id": failed}
    assert look(stage) == []


def test_a_dry_run_changes_nothing(stage: Staged, failed: str) -> None:
    """What would be sent is told, and letter, job and queue stay as they are."""
    assert [one.action for one in redrive(stage, dry_run=True)] == ["would send"]
    assert record(stage, failed)["status"] == "FAILED"
    assert len(look(stage)) == 1


def test_what_could_only_come_back_stays(stage: Staged, failed: str) -> None:
    """Poison, a job that is done and one that does not exist are left with the reason; the others are sent."""
    letter(stage, "no job at all")
    letter(stage, json.dumps({"scoring_job_id": job(stage, "COMPLETED")}))
    letter(stage, json.dumps({"scoring_job_id": "nowhere"}))
    done = redrive(stage)
    assert sorted(one.action for one in done) == ["left", "left", "left", "sent"]
    assert len(look(stage)) == 3


def test_no_letter_stops_the_others(stage: Staged, failed: str) -> None:
    """Bodies that nobody can read and jobs that nobody can take are listed and left, and the rest is sent."""
    for body in ('{"scoring_job_id": "\\ud800"}', json.dumps({"scoring_job_id": "x" * 3000}), "[" * 100_000):
        letter(stage, body)
    for status in ({}, {"status": {"S": "CANCELLED"}}, {"status": {"N": "1"}}):
        identity = {"id": {"S": f"odd-{uuid.uuid4()}"}}
        stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=identity | status)
        letter(stage, json.dumps({"scoring_job_id": identity["id"]["S"]}))
    done = redrive(stage)
    assert [one.scoring_job_id for one in done if one.action == "sent"] == [failed]
    notes = [one.note for one in done if one.action == "left"]
    assert sum("names no job" in note for note in notes) == 3
    assert sum("which no worker knows" in note for note in notes) == 3


def test_a_letter_that_somebody_else_took_is_left_to_him(
    stage: Staged, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the hold ran out and another received the letter, the job is not sent a second time by us."""
    monkeypatch.setattr(_dead_letters, "HOLD_S", 1)
    with _dead_letters.held(stage.aws) as letters:
        dead = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
        other: list[dict[str, Any]] = []
        end = time.monotonic() + 120
        while not other:
            assert time.monotonic() < end
            other = stage.aws.client("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages", [])
        stage.aws.client("sqs").delete_message(QueueUrl=dead, ReceiptHandle=other[0]["ReceiptHandle"])
        done = _dead_letters.redrive(stage.aws, letters, rate=100, dry_run=False, say=lambda _: None)
    ((action, note),) = [(one.action, one.note) for one in done]
    assert (action, note) == ("left", "our hold of it ended, or somebody else has received it; run this again")
    assert record(stage, failed)["status"] == "FAILED"


def test_many_letters_stay_hidden_until_the_last_is_sent() -> None:
    """The hold grows with their number and falls with the rate, up to what SQS allows."""
    assert _dead_letters.hold_s(10, rate=10) > 60
    assert _dead_letters.hold_s(6000, rate=10) > 600
    assert _dead_letters.hold_s(10**6, rate=1) == 43_200


def test_a_name_of_no_letter_is_refused(stage: Staged, failed: str) -> None:
    """A misspelt id is an error that names it, and nothing is sent."""
    with pytest.raises(OperationFailed, match="no dead letter is called nothing"):
        redrive(stage, failed, "nothing")
    assert record(stage, failed)["status"] == "FAILED"


def test_a_name_that_begins_several_letters_is_refused(stage: Staged, failed: str) -> None:
    """`DELETE=1` must not delete a sixteenth of them; a job's whole id means all of its letters."""
    for number in range(2):
        letter(stage, json.dumps({"scoring_job_id": "twice"}), f"{number}")
    letter(stage, json.dumps({"scoring_job_id": "twice-other"}))
    with _dead_letters.held(stage.aws) as letters:
        with pytest.raises(OperationFailed, match="3 dead letters begin with twi"):
            _dead_letters.chosen(letters, ["twi"])
        assert len(_dead_letters.chosen(letters, ["twi"], several=True)) == 3
        assert [one.scoring_job_id for one in _dead_letters.chosen(letters, ["twice", failed])] == ["twice"] * 2 + [
            failed
        ]
        assert [one.scoring_job_id for one in _dead_letters.chosen(letters, ["twice-o"])] == ["twice-other"]


def test_deleting_takes_only_what_was_named(stage: Staged, failed: str) -> None:
    """The named letter is gone for good, the other stays."""
    letter(stage, "poison")
    with _dead_letters.held(stage.aws) as letters:
        _dead_letters.delete(stage.aws, _dead_letters.chosen(letters, [failed]), dry_run=False)
    assert [one.body for one in look(stage)] == ["poison"]
