"""`kill -9` of the execution environment right after each step that changes something outside it.

The step's call takes effect, its answer is delayed, and the environment is killed meanwhile: it has done the step
without knowing it. The next worker completes the job.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from handler.crash_points import Step
from scripts.aws import invocation
from scripts.jobs import sending
from tests.faults.stage import TEXT, Faulty

HOLD_S = 6.0
TIMES = 30  # more than a worker tries: one that is killed late is held again, and never goes on
LARGE = "refund " * 50_000  # its trace does not fit into the result's record
Rule = dict[str, Any]


def after(operation: str, contains: str = "") -> Rule:
    """Return a rule with which the call takes effect, and its answer is delayed."""
    rule: Rule = {"operation": operation, "when": "after", "delay": HOLD_S, "status": 500, "times": TIMES}
    return {**rule, "contains": contains}


COMMIT_SLOW: Rule = {"operation": "dynamodb.TransactWriteItems", "delay": HOLD_S, "times": TIMES}
COMMIT_REFUSED: Rule = {"operation": "dynamodb.TransactWriteItems", "code": "ThrottlingException", "times": TIMES}


@dataclass(frozen=True)
class Crash:
    """`rules` lead the worker to the step; the last one is for the step itself."""

    rules: tuple[Rule, ...]
    text: str = TEXT


SCORED = {
    Step.CLAIM: Crash((after("dynamodb.UpdateItem", "ADD attempts"),)),
    Step.READ: Crash((after("dynamodb.BatchGetItem"),)),
    Step.SCORE: Crash((COMMIT_SLOW,)),
    Step.OFFLOAD: Crash((after("s3.PutObject"),), LARGE),
    Step.COMMIT: Crash((after("dynamodb.TransactWriteItems"),)),
    Step.RESPOND: Crash((after("sqs.SendMessageBatch"),)),
    Step.MARK: Crash((after("dynamodb.BatchWriteItem"),)),
    Step.DELETE: Crash((after("sqs.DeleteMessage"),)),
    Step.RENEW: Crash((COMMIT_SLOW, after("dynamodb.UpdateItem", "SET leaseUntil = :until"))),
    Step.RELEASE: Crash((COMMIT_REFUSED, after("dynamodb.UpdateItem", "errorMessage = :error REMOVE"))),
    Step.HAND_BACK: Crash((COMMIT_REFUSED, after("sqs.ChangeMessageVisibilityBatch"))),
}
"""The steps on the way to a result, and how a worker is killed right after each."""
OTHERS = {Step.FAIL, Step.DEAD_LETTER, Step.REQUEUE}
"""The steps of a worker that does not produce the result; each has a test of its own below."""


def killed_at(stage: Faulty, rules: tuple[Rule, ...], act: Callable[[], object]) -> None:
    """Run `act`, which invokes the function, wait until the last rule is used, and kill the environment."""
    stage.faults(*rules)
    acting = threading.Thread(target=act)
    acting.start()
    end = time.monotonic() + 120
    while stage.list_faults()[-1]["times"] == TIMES:
        assert time.monotonic() < end, "the worker never came to the step"
        time.sleep(0.02)
    assert stage.kill() >= 1
    acting.join(120)
    stage.faults()


def test_every_step_of_the_worker_is_killed() -> None:
    """Each step of the worker has a crash in this file."""
    assert set(SCORED) | OTHERS == set(Step)


@pytest.mark.parametrize("step", SCORED)
def test_a_worker_killed_after_a_step_leaves_one_effect(stage: Faulty, step: Step) -> None:
    """The next worker leaves one result, one distinct response, and nothing else."""
    crash = SCORED[step]
    stage.send([sending.create_body(stage.job(crash.text))])
    killed_at(stage, crash.rules, stage.poll)
    stage.drain()
    assert stage.broken() == []
    assert stage.letters() == []


def test_a_worker_killed_after_failing_a_job_leaves_it_failed(stage: Faulty) -> None:
    """A job that failed permanently stays FAILED with its reason, has no result, and its message is deleted."""
    job = stage.job(" ")
    stage.send([sending.create_body(job)])
    killed_at(stage, (after("dynamodb.UpdateItem", "updatedAt = :now REMOVE leaseOwner"),), stage.poll)
    stage.drain()
    (record,) = stage.records("ScoringJob")
    assert record["status"] == "FAILED"
    assert 0 < len(record["errorMessage"]) <= 255
    assert [*stage.records("ScoreResult"), *stage.records("Outbox"), *stage.responses()] == []


def test_a_worker_killed_after_a_dead_letter_loses_no_poison(stage: Faulty) -> None:
    """Poison is in the dead-letter queue with its reason, and nowhere else, although its worker was killed."""
    stage.send(["poison"])
    killed_at(stage, (after("sqs.SendMessage"),), stage.poll)
    stage.drain()
    letters = stage.letters()
    assert {letter.body for letter in letters} == {"poison"}
    assert all(letter.reason for letter in letters)


def test_a_worker_killed_after_sending_a_message_again_loses_no_job(stage: Faulty) -> None:
    """A message at its last receive, whose job is leased, is sent again; a crash then causes at most a duplicate."""
    stage.poll()  # an environment that is warm comes to the step while the lease lasts, also on a slow machine
    job = stage.job()
    url = stage.aws.queue_url(stage.aws.stage.queues.request)
    stage.send([sending.create_body(job)])
    (message,) = stage.aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
    event = {
        "source": "fanout",
        "message_body": message["Body"],
        "receipt_handle": message["ReceiptHandle"],
        "queue_url": url,
        "receive_count": stage.aws.stage.queues.max_receive_count,
    }
    hold(stage, job, until=time.time() + 20)  # for so long the message that is sent again is hidden
    killed_at(stage, (after("sqs.SendMessage"),), lambda: invocation.invoke(stage.aws, event))
    stage.drain()
    assert stage.broken() == []
    assert json.loads(message["Body"]) == {"scoring_job_id": job}


def hold(stage: Faulty, job: str, until: float) -> None:
    """Lease a job to another worker until a time in Unix seconds."""
    stage.aws.client("dynamodb").update_item(
        TableName=stage.aws.stage.table("ScoringJob"),
        Key={"id": {"S": job}},
        UpdateExpression="SET #status = :held, leaseOwner = :other, leaseUntil = :until",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":held": {"S": "IN_PROGRESS"},
            ":other": {"S": "another"},
            ":until": {"N": str(until)},
        },
    )
