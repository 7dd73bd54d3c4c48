"""The doctor's findings, and redrives of dead letters."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scripts.aws import dynamodb, event_source, queues
from scripts.console.errors import OperationFailed
from scripts.doctor import resource_checks
from scripts.doctor.diagnosis import CHECKS, diagnose
from scripts.jobs import dead_letters
from scripts.jobs.dead_letters import Letter, RedriveResult
from scripts.jobs.seeding import encode, find_account_id
from scripts.release import configuration, deployment
from stages.stage import Stage
from tests.e2e.staged import Staged, start_staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Return the local stage, deployed and configured, with the event source disabled."""
    with start_staged("doctor", tmp_path_factory.mktemp("images")) as result:
        deployment.deploy(result.aws, result.image("first"))
        configuration.configure(result.aws)
        yield result


def verdicts(stage: Staged) -> dict[str, str]:
    """Return the verdict of each check."""
    return {one.name: one.verdict for one in diagnose(stage.aws).findings}


def test_a_healthy_stage_has_nothing_broken(stage: Staged) -> None:
    """On a healthy stage every check has a finding, none fails or is skipped, and the exit code is 0."""
    diagnosis = diagnose(stage.aws)
    assert [one for one in diagnosis.findings if one.verdict in ("fail", "skip")] == []
    assert {one.name for one in diagnosis.findings} >= {str(check.__doc__).partition(":")[0] for check in CHECKS}
    assert diagnosis.exit_code == 0


def test_a_missing_variable_is_named_with_its_remedy(stage: Staged) -> None:
    """A missing variable is a failure with the remedy `make config`, which repairs it."""
    client = stage.aws.client("lambda")
    variables = client.get_function_configuration(FunctionName=stage.function)["Environment"]["Variables"]
    del variables["PLEXUS_ACCOUNT_KEY"]
    client.update_function_configuration(FunctionName=stage.function, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=stage.function, WaiterConfig={"Delay": 1})
    deployment.deploy(stage.aws, stage.image("first"))
    (finding,) = [one for one in diagnose(stage.aws).findings if one.name == "environment"]
    assert (finding.verdict, finding.detail, finding.remedy) == ("fail", "absent: PLEXUS_ACCOUNT_KEY", "make config")
    configuration.configure(stage.aws)
    assert verdicts(stage)["environment"] == "ok"


def test_an_error_of_the_last_hour_is_told_by_its_reason(stage: Staged) -> None:
    """A job's error is shown without ids, with a command for the full lines."""
    client, group = stage.aws.client("logs"), stage.aws.stage.log_group
    client.create_log_stream(logGroupName=group, logStreamName="doctor")
    line = {"aws_request_id": "0" * 200, "level": "ERROR", "message": "no result", "error": "Odd: it broke"}
    event: Any = {"timestamp": int(time.time() * 1000), "message": json.dumps(line)}
    client.put_log_events(logGroupName=group, logStreamName="doctor", logEvents=[event])
    (finding,) = [one for one in diagnose(stage.aws).findings if one.name == "jobs"]
    client.delete_log_stream(logGroupName=group, logStreamName="doctor")
    assert finding.verdict == "warn"
    assert re.fullmatch(
        r"0 completed, 1 without a result since \d\d:\d\d; latest: no result: Odd: it broke", finding.detail
    )
    assert finding.remedy == "make logs FOLLOW=0 LEVEL=ERROR SINCE=1h"


def test_alarms_that_notify_nobody_are_reported(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a stage of an account, a topic without a subscriber is a warning with its remedy."""
    monkeypatch.setattr(Stage, "is_local", False)
    aws, sns = stage.aws, stage.aws.client("sns")
    (topic,) = sns.list_topics()["Topics"]
    first = resource_checks.check_alarms(aws)
    assert (first.verdict, first.detail) == (
        "warn",
        "nobody is notified: topic plexus-score-processor-lambda-alarms has no subscriber",
    )
    assert first.remedy.startswith("set alarms.notify in stages/local.toml, then make infra")
    queue = aws.client("sqs").get_queue_attributes(
        QueueUrl=aws.queue_url(aws.stage.queues.response), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=queue)
    assert (resource_checks.check_alarms(aws).verdict, resource_checks.check_alarms(aws).detail) == (
        "ok",
        "8, notifying 1 subscriber",
    )


def test_a_visibility_below_the_timeout_is_bad(stage: Staged) -> None:
    """A visibility timeout below the function's timeout is a failure."""
    sqs, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.request)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "10"})
    try:
        assert verdicts(stage)["visibility"] == "fail"
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1800"})


def test_an_absent_repository_is_bad(stage: Staged) -> None:
    """An absent repository is a failure with the command that creates it."""
    response = stage.aws.client("ecr").describe_repositories()["repositories"][0]["repositoryName"]
    assert verdicts(stage)["repository"] == "ok"
    other = replace(stage, aws=type(stage.aws)(_elsewhere(stage), stage.aws.endpoint))
    (output,) = [one for one in diagnose(other.aws).findings if one.name == "repository"]
    assert (output.verdict, output.remedy) == ("fail", "make infra-deploy")
    assert response not in output.detail


def _elsewhere(stage: Staged) -> Any:
    return replace(stage.aws.stage, repository="plexus/another")


def letter(stage: Staged, body: str, reason: str = "") -> None:
    """Send a dead letter."""
    attributes: Any = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    url = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def job(stage: Staged, status: str) -> str:
    """Write a job with a status; return its id."""
    owner = find_account_id(stage.aws)
    record = {"id": uuid.uuid4().hex, "accountId": owner, "status": status, "attempts": 5, "errorMessage": "why"}
    stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=encode(record))
    return str(record["id"])


@pytest.fixture
def failed(stage: Staged) -> Iterator[str]:
    """Return a FAILED job with its dead letter in otherwise empty queues, with the event source disabled."""
    event_source.switch_event_source(stage.aws, enabled=False)
    names = stage.aws.stage.queues
    for name in (names.request, names.request_dead_letters):
        queues.receive(stage.aws, stage.aws.queue_url(name))
    created = job(stage, "FAILED")
    letter(stage, json.dumps({"scoring_job_id": created}), "ScoringFailed: no luck")
    yield created
    event_source.switch_event_source(stage.aws, enabled=True)


def look(stage: Staged) -> list[Letter]:
    """Return the current dead letters."""
    with dead_letters.held_letters(stage.aws) as letters:
        return letters


def redrive(stage: Staged, *names: str, dry_run: bool = False) -> list[RedriveResult]:
    """Redrive the named letters, or all of them."""
    with dead_letters.held_letters(stage.aws) as letters:
        picked = dead_letters.select(letters, names)
        return dead_letters.redrive(stage.aws, picked, rate=100, dry_run=dry_run, say=lambda _: None)


def record(stage: Staged, job_id: str) -> dict[str, Any]:
    """Return a job's record."""
    return next(one for one in dynamodb.scan(stage.aws, "ScoringJob") if one["id"] == job_id)


def test_looking_at_dead_letters_leaves_them_there(stage: Staged, failed: str) -> None:
    """Listing dead letters shows job and reason, and leaves them in the queue."""
    (first,), (second,) = look(stage), look(stage)
    assert (first.scoring_job_id, first.reason) == (failed, "ScoringFailed: no luck")
    assert first.id == second.id


def test_a_redriven_job_is_pending_and_its_message_back(stage: Staged, failed: str) -> None:
    """A redrive resets the job to PENDING, sends its message to the request queue, and deletes the letter."""
    assert [one.action for one in redrive(stage, failed)] == ["sent"]
    result = record(stage, failed)
    assert (result["status"], result["attempts"], "errorMessage" in result) == ("PENDING", 0, False)
    (message,) = queues.receive(stage.aws, stage.aws.queue_url(stage.aws.stage.queues.request))
    assert json.loads(message["Body"]) == {"scoring_job_id": failed}
    assert look(stage) == []


def test_a_dry_run_changes_nothing(stage: Staged, failed: str) -> None:
    """A dry run lists what it would send, and changes nothing."""
    assert [one.action for one in redrive(stage, dry_run=True)] == ["would send"]
    assert record(stage, failed)["status"] == "FAILED"
    assert len(look(stage)) == 1


def test_what_could_only_come_back_stays(stage: Staged, failed: str) -> None:
    """Poison messages, completed jobs and absent jobs are left with a reason; other letters are redriven."""
    letter(stage, "no job at all")
    letter(stage, json.dumps({"scoring_job_id": job(stage, "COMPLETED")}))
    letter(stage, json.dumps({"scoring_job_id": "nowhere"}))
    done = redrive(stage)
    assert sorted(one.action for one in done) == ["left", "left", "left", "sent"]
    assert len(look(stage)) == 3


def test_no_letter_stops_the_others(stage: Staged, failed: str) -> None:
    """Unreadable bodies and unknown statuses are listed and left, and do not stop the redrive."""
    for body in ('{"scoring_job_id": "\\ud800"}', json.dumps({"scoring_job_id": "x" * 3000}), "[" * 100_000):
        letter(stage, body)
    for status in ({}, {"status": {"S": "CANCELLED"}}, {"status": {"N": "1"}}):
        identity = {"id": {"S": f"odd-{uuid.uuid4()}"}, "accountId": {"S": find_account_id(stage.aws)}}
        stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("ScoringJob"), Item=identity | status)
        letter(stage, json.dumps({"scoring_job_id": identity["id"]["S"]}))
    done = redrive(stage)
    assert [one.scoring_job_id for one in done if one.action == "sent"] == [failed]
    notes = [one.note for one in done if one.action == "left"]
    assert sum("names no job" in note for note in notes) == 3
    assert sum("the unknown status" in note for note in notes) == 3


def test_a_letter_that_somebody_else_took_is_left_to_him(
    stage: Staged, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter that another receiver took after the visibility timeout is not sent twice."""
    monkeypatch.setattr(dead_letters, "HOLD_S", 1)
    with dead_letters.held_letters(stage.aws) as letters:
        dead = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
        other: list[Any] = []
        end = time.monotonic() + 120
        while not other:
            assert time.monotonic() < end
            other = stage.aws.client("sqs").receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages", [])
        stage.aws.client("sqs").delete_message(QueueUrl=dead, ReceiptHandle=other[0]["ReceiptHandle"])
        done = dead_letters.redrive(stage.aws, letters, rate=100, dry_run=False, say=lambda _: None)
    ((action, note),) = [(one.action, one.note) for one in done]
    assert (action, note) == ("left", "its visibility timeout expired, or another receiver has it; run this again")
    assert record(stage, failed)["status"] == "FAILED"


def test_many_letters_stay_hidden_until_the_last_is_sent() -> None:
    """The visibility timeout grows with the number of letters and shrinks with the rate, up to SQS's limit."""
    assert dead_letters.hold_s(10, rate=10) > 60
    assert dead_letters.hold_s(6000, rate=10) > 600
    assert dead_letters.hold_s(10**6, rate=1) == 43_200


def test_a_name_of_no_letter_is_refused(stage: Staged, failed: str) -> None:
    """An id that matches no letter is an error, and nothing is sent."""
    with pytest.raises(OperationFailed, match="no dead letter matches nothing"):
        redrive(stage, failed, "nothing")
    assert record(stage, failed)["status"] == "FAILED"


def test_a_name_that_begins_several_letters_is_refused(stage: Staged, failed: str) -> None:
    """A prefix of several ids is rejected; a job's full id selects all of its letters."""
    for number in range(2):
        letter(stage, json.dumps({"scoring_job_id": "twice"}), f"{number}")
    letter(stage, json.dumps({"scoring_job_id": "twice-other"}))
    with dead_letters.held_letters(stage.aws) as letters:
        with pytest.raises(OperationFailed, match="3 dead letters start with twi"):
            dead_letters.select(letters, ["twi"])
        assert len(dead_letters.select(letters, ["twi"], several=True)) == 3
        assert [one.scoring_job_id for one in dead_letters.select(letters, ["twice", failed])] == ["twice"] * 2 + [
            failed
        ]
        assert [one.scoring_job_id for one in dead_letters.select(letters, ["twice-o"])] == ["twice-other"]


def test_deleting_takes_only_what_was_named(stage: Staged, failed: str) -> None:
    """Only the named letter is deleted."""
    letter(stage, "poison")
    with dead_letters.held_letters(stage.aws) as letters:
        dead_letters.delete(stage.aws, dead_letters.select(letters, [failed]), dry_run=False)
    assert [one.body for one in look(stage)] == ["poison"]
