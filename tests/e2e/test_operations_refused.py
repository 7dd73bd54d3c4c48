"""Faults before the alias moves, and those that only somebody else can mend: what is printed, and what is left."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from local_aws import control
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import lambda_function, ledger, lock
from scripts.console.errors import OperationFailed
from scripts.differences import function_drift
from scripts.doctor.diagnosis import Diagnosis, diagnose
from scripts.release import configuration, deployment, rollback, versions
from tests.e2e.conftest import run
from tests.e2e.staged import Staged

NAME = f"test-{os.getpid()}-released"
FAULTS = "/_local_aws/faults"
CODE = """
import os
{at_import}
def handler(event, context):
    return {{"statusCode": {status}, "body": "{name}"}}
"""
BROKEN = {
    "raises at import": ("raise RuntimeError('boom at import')", "200", "RuntimeError: boom at import"),
    "has no handler": ("del globals()['__name__']; raise SystemExit(4)", "200", "Runtime.ExitError"),
    "exits at import": ("os._exit(5)", "200", "exit status 5"),
    "answers with 500": ("pass", "500", '"statusCode": 500'),
    "breaks by a setting": ("pass", "500 if os.environ.get('BREAK') else 500", '"statusCode": 500'),
}


@pytest.fixture
def stage(released: Staged) -> Iterator[Staged]:
    """Yield the stage that several test files share, with the first image and its settings."""
    deployment.deploy(released.aws, released.image("first"), commit="1" * 40)
    configuration.configure(released.aws)
    yield released
    ask(instance(), FAULTS, [])
    lock.unlock(released.aws)


def instance() -> Instance:
    """Return the stage's instance."""
    result = control.find(NAME)
    assert result is not None
    return result


def failures(found: Diagnosis) -> list[str]:
    """Return the failed findings' names, in order."""
    return [one.name for one in found.findings if one.verdict == "fail"]


@pytest.mark.parametrize("name", BROKEN)
def test_an_image_that_fails_its_smoke_test_leaves_everything_as_it_was(stage: Staged, name: str) -> None:
    """The deploy fails with the reason, $LATEST has the served image again, and the doctor finds no failure."""
    at_import, status, reason = BROKEN[name]
    before = versions.read_live(stage.aws)
    digest = stage.push(name.replace(" ", "-"), CODE.format(at_import=at_import, status=status, name=name))
    done = run(NAME, "deploy", "--digest", digest)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "the alias was not moved" in done.stderr
    assert lambda_function.read(stage.aws).digest == before.digest
    assert (versions.read_live(stage.aws).version, stage.answer()) == (before.version, "first")
    assert failures(diagnose(stage.aws)) == []


def test_settings_that_fail_the_smoke_test_are_taken_back(stage: Staged) -> None:
    """A configuration whose smoke test fails leaves $LATEST its image and settings, and callers theirs."""
    code = CODE.format(at_import="pass", status="500 if os.environ.get('BREAK') else 200", name="sensitive")
    deployment.deploy(stage.aws, stage.push("sensitive", code))
    before = lambda_function.read(stage.aws)
    with pytest.raises(OperationFailed, match="fails its smoke test"):
        configuration.configure(stage.aws, extra={"BREAK": "1"})
    after = lambda_function.read(stage.aws)
    assert (after.digest, after.configuration) == (before.digest, before.configuration)
    assert stage.answer() == "sensitive"


def test_a_rollback_lists_the_settings_that_go_back(stage: Staged) -> None:
    """The settings of the earlier version are listed; `keep_settings` publishes its image with the current ones."""
    configuration.configure(stage.aws, extra={"MARK": "old"})
    old = versions.read_live(stage.aws).version
    deployment.deploy(stage.aws, stage.image("second"))
    configuration.configure(stage.aws, extra={"MARK": "new"})
    done = run(NAME, "rollback", old, "--dry-run")
    assert "settings that go back with it (KEEP_SETTINGS=1" in done.stdout, done.stderr
    assert "  MARK: new → old" in done.stdout
    assert rollback.roll_back(stage.aws, old, keep_settings=True).settings == ()
    live = versions.read_live(stage.aws)
    assert live.facts is not None
    assert (live.facts.environment["MARK"], stage.answer()) == ("new", "first")
    (changed,) = rollback.roll_back(stage.aws, old).settings
    assert str(changed) == "- MARK = new\n+ MARK = old"
    assert lambda_function.read(stage.aws).environment["MARK"] == "old"


def held_elsewhere(stage: Staged, since: int) -> None:
    """Leave the lock of a deploy on another host."""
    item: Any = {"function": {"S": stage.function}, "at": {"S": "lock"}, "token": {"S": "another"}}
    item |= {"who": {"S": "ann@elsewhere, process 7"}, "process": {"S": "elsewhere boot 1 7 9"}}
    item |= {"since": {"N": str(since)}, "until": {"N": str(since + 900)}}
    stage.aws.client("dynamodb").put_item(TableName=stage.aws.stage.table("Deployment"), Item=item)


@pytest.mark.parametrize("ahead_s", [0, 7200], ids=["its clock is right", "its clock is ahead"])
def test_a_lock_of_another_host_is_removed_by_the_command_that_is_printed(stage: Staged, ahead_s: int) -> None:
    """A deploy names the holder and `make unlock`, which frees the stage; a rollback is not held up at all."""
    held_elsewhere(stage, int(lock.read(stage.aws)[1]) + ahead_s)
    done = run(NAME, "deploy", "--digest", stage.image("second"))
    assert done.returncode == 1
    assert "ann@elsewhere, process 7 has been deploying to local for " in done.stderr
    assert ("for 0.0 s" in done.stderr) >= bool(ahead_s)  # never a negative time
    assert "if it was killed: make unlock" in done.stderr
    done = run(NAME, "unlock")
    assert (done.returncode, "removed the deploy lock of ann@elsewhere, process 7" in done.stdout) == (0, True)
    assert run(NAME, "deploy", "--digest", stage.image("second")).returncode == 0
    held_elsewhere(stage, int(lock.read(stage.aws)[1]) + ahead_s)
    assert run(NAME, "rollback").returncode == 0
    assert stage.answer() == "first"


def test_an_entry_of_a_clock_that_is_ahead_hides_no_later_one(stage: Staged) -> None:
    """After an entry dated years ahead, a deploy's entry is the newest, and there is no drift."""
    last = ledger.read_last(stage.aws)
    assert last is not None
    ledger.write(stage.aws, replace(last, at="2062-01-01T00:00:00.000000Z"))
    deployment.deploy(stage.aws, stage.image("second"))
    newest = ledger.read_last(stage.aws)
    assert newest is not None
    assert (newest.version, newest.at) == (stage.alias()["FunctionVersion"], "2062-01-01T00:00:00.000001Z")
    assert list(function_drift.release(stage.aws)) == []


@pytest.mark.parametrize(
    ("operation", "code", "remedy"),
    [
        ("sts.GetCallerIdentity", "ExpiredTokenException", "the session has expired: sign in again, then run it again"),
        ("sts.GetCallerIdentity", "SignatureDoesNotMatch", "the credentials are invalid: check AWS_PROFILE and this"),
        ("lambda.GetAlias", "AccessDeniedException", "request the permission in the message"),
        ("sqs.GetQueueAttributes", "ThrottlingException", "AWS throttles the requests: wait a minute"),
    ],
)
def test_what_only_somebody_else_can_mend_is_the_first_line(
    stage: Staged, operation: str, code: str, remedy: str
) -> None:
    """Without valid credentials nothing else is checked; a denied or throttled call is reported with its remedy."""
    ask(instance(), FAULTS, [{"operation": operation, "code": code, "times": 999}])
    first, *others = diagnose(stage.aws).findings
    assert first.verdict == "fail"
    assert first.remedy.startswith(remedy)
    assert code in first.detail
    if operation.startswith("sts"):
        assert first.name == "credentials"
        assert {one.verdict for one in others} <= {"ok", "skip"}
    ask(instance(), FAULTS, [])
    assert failures(diagnose(stage.aws)) == []


def test_a_stage_that_does_not_answer_is_the_first_line(stage: Staged) -> None:
    """Without an answer the doctor exits with 3, and its first line has the command that starts the local AWS."""
    done = run(NAME, "doctor", "--json", "--endpoint-url", "http://127.0.0.1:9")
    first = json.loads(done.stdout)["findings"][0]
    assert (done.returncode, first["name"], first["remedy"]) == (3, "credentials", "make local")


def test_an_image_that_is_gone_is_pushed_by_who_built_it(stage: Staged) -> None:
    """An image that the registry lost is a failure whose remedy leads to its bytes; once pushed, all is well."""
    digest = stage.image("lost")
    deployment.deploy(stage.aws, digest, commit="5" * 40)
    client, repository = stage.aws.client("ecr"), stage.aws.stage.repository
    client.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    (finding,) = [one for one in diagnose(stage.aws).findings if one.verdict == "fail"]
    assert (finding.name, f"has no image {digest}" in finding.detail) == ("image", True)
    assert finding.remedy == "make push" or finding.remedy.startswith(f"git checkout {'5' * 40} && make build push")
    stage.image("lost")
    assert failures(diagnose(stage.aws)) == []


def test_the_status_counts_messages_that_somebody_has_received(stage: Staged) -> None:
    """Messages in flight are counted apart: a queue of which all are in flight does not wait for its consumer."""
    client, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.response)
    for _ in range(2):
        client.send_message(QueueUrl=url, MessageBody="{}")
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=1)
    assert "plexus-scoring-response: 1 waiting, 1 in flight" in run(NAME, "status").stdout
    client.purge_queue(QueueUrl=url)
