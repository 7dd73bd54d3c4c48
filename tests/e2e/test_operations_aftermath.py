"""The doctor's order: what the serving version does comes before what earlier versions left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.aws import queues
from scripts.doctor.diagnosis import diagnose
from scripts.doctor.finding import Finding
from scripts.release import configuration, deployment, rollback
from tests.e2e import faults_by_hand as by_hand
from tests.e2e.conftest import ROOT
from tests.e2e.staged import Staged, start_staged

RETRIED = """print('{"level": "WARNING", "message": "no result", "ending": "retried", "error": "KeyError", '
        f'"scoring_job_id": "{context.aws_request_id}"' '}', flush=True)"""
HOLD = "from scripts.aws import lock; from scripts.aws.clients import create_clients; import time; "
HOLD += "from scripts.aws.stage import load_stage; held = lock.hold(create_clients(load_stage('local'))); "
HOLD += "held.__enter__(); print('held', flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Yield the local stage with two deploys of working images, of which the second serves."""
    with start_staged("aftermath", tmp_path_factory.mktemp("images")) as result:
        for name in ("good", "better"):
            deployment.deploy(result.aws, by_hand.image(result, name), commit="1" * 40)
        configuration.configure(result.aws)
        yield result


def problems(stage: Staged) -> list[Finding]:
    """Return the findings that are neither ok nor skipped, in the order in which the doctor prints them."""
    return [finding for finding in diagnose(stage.aws).findings if finding.verdict in ("fail", "warn")]


def send_letter(stage: Staged, body: str, reason: str = "") -> None:
    """Send a dead letter as the worker does, or without a reason as SQS does."""
    url = stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters)
    attributes: dict[str, Any] = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    stage.aws.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)


def make(stage: Staged, line: str) -> None:
    """Run a command line of make, as printed."""
    done = subprocess.run(
        line.split(), cwd=ROOT, env=by_hand.environment(stage), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_jobs_that_are_retried_come_before_older_letters(stage: Staged) -> None:
    """A release whose jobs are all retried is named before the letter of an earlier version, each with its remedy."""
    send_letter(stage, "no job", "InvalidMessage: got no job")
    time.sleep(0.01)
    deployment.deploy(stage.aws, by_hand.image(stage, "retrying", RETRIED), commit="2" * 40)
    by_hand.call(stage)
    jobs, letters = problems(stage)
    pattern = r"0 completed, 4 being retried since \d\d:\d\d; latest: no result: KeyError"
    assert re.fullmatch(pattern, jobs.detail), jobs
    assert (jobs.name, jobs.verdict, jobs.remedy) == ("jobs", "warn", "make rollback")
    pattern = r"1 message, sent before version \d+ went live; it names no job, so that no redrive helps"
    assert re.fullmatch(pattern, letters.detail), letters
    assert letters.remedy == "make dlq DELETE=poison"
    make(stage, jobs.remedy)
    assert [finding.name for finding in problems(stage)] == ["dead letters"]
    make(stage, letters.remedy)
    assert problems(stage) == []
    kept = max((ROOT / "build" / "dead-letters").glob("local-*.jsonl"), key=os.path.getmtime)
    assert json.loads(kept.read_text(encoding="utf-8"))["body"] == "no job"
    kept.unlink()


def test_a_letter_whose_age_is_unknown_is_not_older(stage: Staged) -> None:
    """A letter without a reason was moved by SQS, at an unknown time, and looks for a job: it is to be redriven."""
    send_letter(stage, json.dumps({"scoring_job_id": "some-job"}))
    deployment.deploy(stage.aws, by_hand.image(stage, "fine"), commit="3" * 40)
    (letters,) = problems(stage)
    assert (letters.detail, letters.is_aftermath) == ("1 message", False)
    assert letters.remedy == "make dlq lists the reasons; make dlq REDRIVE=1 redrives them"
    queues.receive(stage.aws, stage.aws.queue_url(stage.aws.stage.queues.request_dead_letters))


def test_the_end_of_a_canary_does_not_hide_failures(stage: Staged) -> None:
    """A rollback that leaves the version where it is does not begin its time again: its failed calls still count."""
    deployment.deploy(stage.aws, by_hand.image(stage, "failing", "raise RuntimeError('odd')"), commit="4" * 40)
    by_hand.call(stage)
    by_hand.share_calls(failing=False)(stage)
    rollback.roll_back(stage.aws)
    (calls,) = problems(stage)
    assert (calls.name, calls.verdict, calls.remedy) == ("calls", "fail", "make rollback")
    make(stage, calls.remedy)
    assert problems(stage) == []


def test_a_repeated_initialization_is_no_failed_call(stage: Staged) -> None:
    """An initialization of over ten seconds is a warning of its own, since the call that repeated it succeeded."""
    slow = by_hand.image(stage, "slow", then="time.sleep(2)", at_import="time.sleep(10.5)")
    deployment.deploy(stage.aws, slow, commit="5" * 40)
    with stage.call_meanwhile():  # one environment has been started by the smoke test: two calls at once need another
        by_hand.call(stage)
    (start,) = problems(stage)
    assert (start.name, start.verdict) == ("initialization", "warn")
    assert re.match(r"took over 10 s and was repeated in \d calls? since \d\d:\d\d, which is no failure", start.detail)
    make(stage, start.remedy.partition(" shows")[0])
    rollback.roll_back(stage.aws)
    assert problems(stage) == []


def test_messages_of_failed_calls_are_named_while_they_are_hidden(stage: Staged) -> None:
    """A request that a failed call has received is in flight for the visibility timeout: the doctor says until when."""
    deployment.deploy(stage.aws, by_hand.image(stage, "exiting", "os._exit(3)"), commit="6" * 40)
    by_hand.call(stage)
    rollback.roll_back(stage.aws)
    client, url = stage.aws.client("sqs"), stage.aws.queue_url(stage.aws.stage.queues.request)
    by_hand.mapping_changed(Enabled=False)(stage)
    client.send_message(QueueUrl=url, MessageBody="{}")
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    (_, finding) = problems(stage)
    assert re.search(r"1 in flight; .*messages of \d+ failed calls may be in flight until \d\d:\d\d$", finding.detail)
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    by_hand.mapping_changed(Enabled=True)(stage)
    assert problems(stage) == []


def test_a_stopped_deploy_is_not_waited_for(stage: Staged) -> None:
    """A deploy of this host whose process is stopped is named, with the command that lets it continue."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env=by_hand.environment(stage), stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        (lock,) = problems(stage)
        assert (lock.name, lock.verdict, lock.remedy) == ("lock", "warn", f"kill -CONT {holder.pid}")
        subprocess.run(lock.remedy.split(), check=True)
        os.waitpid(holder.pid, os.WCONTINUED)
        assert problems(stage) == []
    finally:
        holder.kill()
        holder.communicate()
    make(stage, "make unlock")
