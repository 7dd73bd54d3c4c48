"""The function's role allows what the worker calls, and nothing that it never calls."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import control
from local_aws.instance import Instance
from local_aws.status import ask
from scripts.aws import dynamodb, event_source, invocation, resources
from scripts.aws.clients import Aws
from scripts.aws.stage import load_stage
from scripts.demo.steps import TRAINED
from scripts.jobs import sending
from scripts.jobs.item_files import Item
from scripts.jobs.seeding import encode, read_card
from tests.e2e import rights
from tests.e2e.conftest import Demo
from tests.e2e.rights import Right

TEMPLATE = resources.TEMPLATES / "local" / "local-function.template.json"
STAGE = load_stage("local")
LOG_STREAMS = f"log-group:{STAGE.log_group}:log-stream:*"
LARGE = "refund " * 50_000  # 350 kB, as much as an item's record holds; its trace of matches is larger than a record
BY_LAMBDA_ITSELF = {
    Right("logs:CreateLogStream", LOG_STREAMS),
    Right("logs:PutLogEvents", LOG_STREAMS),
} | ({Right("xray:PutTelemetryRecords", "*"), Right("xray:PutTraceSegments", "*")} if STAGE.function.tracing else set())
"""What Lambda calls with the role, outside the worker: its log, and where the stage is traced, X-Ray's daemon."""


@pytest.fixture(scope="module")
def calls(demo: Demo) -> Iterator[list[dict[str, Any]]]:
    """Every different call of the function: in the demo, and on the paths that it does not take."""
    running = control.find(demo.name)
    assert running is not None
    aws = Aws(load_stage("local"), running.endpoint)
    event_source.switch_event_source(aws, enabled=False)
    large_result(aws)
    held_by_another(aws)
    answer_of_a_commit_lost(aws, running)
    only_score_of_its_card(aws)
    left_in_the_outbox(aws)
    result = ask(running, "/_local_aws/calls")
    yield [call for call in result if call["caller"] != "test"]
    event_source.switch_event_source(aws, enabled=True)


def seed_job(aws: Aws, text: str = "Where is my refund?") -> str:
    """Return a new job of the keyword score."""
    (job,) = sending.seed(aws, read_card(TRAINED), [Item(uuid.uuid4().hex, text, {})], ["Mentions Refund"])
    return job.id


def deliver(aws: Aws, job: str, receive_count: int = 1) -> dict[str, Any]:
    """Hand the function a delivery as an event source mapping does, of a receipt that is no longer valid."""
    queue = aws.client("sqs").get_queue_attributes(
        QueueUrl=aws.queue_url(aws.stage.queues.request), AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    record = {
        "messageId": uuid.uuid4().hex,
        "receiptHandle": "gone",
        "body": sending.create_body(job),
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
    }
    answer = invocation.invoke(aws, {"Records": [record]})
    assert not answer.exit_code, answer.payload
    return dict(answer.payload)


def large_result(aws: Aws) -> None:
    """A result that is too large for its record."""
    assert deliver(aws, seed_job(aws, LARGE)) == {"batchItemFailures": []}


def held_by_another(aws: Aws) -> None:
    """A job that another worker holds: at an early receive, and at the last one."""
    job = seed_job(aws)
    aws.client("dynamodb").update_item(
        TableName=aws.stage.table("ScoringJob"),
        Key={"id": {"S": job}},
        UpdateExpression="SET #status = :held, leaseOwner = :other, leaseUntil = :later",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":held": {"S": "IN_PROGRESS"},
            ":other": {"S": "another"},
            ":later": {"N": str(int(time.time()) + 240)},  # as far ahead as a worker's lease can be
        },
    )
    sending.send(aws, [sending.create_body(job)])
    invocation.invoke(aws, {})
    deliver(aws, job, receive_count=aws.stage.queues.max_receive_count)


def answer_of_a_commit_lost(aws: Aws, running: Instance) -> None:
    """A commit that succeeded although its caller got an error."""
    lost = {"operation": "dynamodb.TransactWriteItems", "when": "after", "status": 500}
    ask(running, "/_local_aws/faults", [lost])
    assert deliver(aws, seed_job(aws)) == {"batchItemFailures": []}


def only_score_of_its_card(aws: Aws) -> None:
    """A job that names its scorecard and leaves the score to be found there."""
    client, job = aws.client("dynamodb"), seed_job(aws)
    for record in dynamodb.scan(aws, "Score"):
        if record["name"] != "Mentions Refund":
            client.delete_item(TableName=aws.stage.table("Score"), Key={"id": {"S": record["id"]}})
    client.update_item(
        TableName=aws.stage.table("ScoringJob"), Key={"id": {"S": job}}, UpdateExpression="REMOVE scoreId"
    )
    assert deliver(aws, job) == {"batchItemFailures": []}


def left_in_the_outbox(aws: Aws) -> None:
    """An answer that a crash kept from being sent, and a sweep."""
    entry = {
        "id": uuid.uuid4().hex,
        "scoreResultId": uuid.uuid4().hex,
        "createdAt": "2020-01-01T00:00:00Z",
        "created": 0,
    }
    aws.client("dynamodb").put_item(TableName=aws.stage.table("Outbox"), Item=encode(entry))
    assert not invocation.invoke(aws, {"source": "sweep"}).exit_code
    assert not dynamodb.scan(aws, "Outbox")


def list_allowed() -> set[Right]:
    """Return what the committed template allows the role."""
    return rights.list_allowed(json.loads(TEMPLATE.read_text(encoding="utf-8")))


def test_the_role_allows_every_call_of_the_worker(calls: list[dict[str, Any]]) -> None:
    """The policy has an action and a resource for each call that the worker made."""
    used = {right for call in calls for right in rights.used(call)}
    assert used
    assert sorted(right for right in used if not any(right.is_covered_by(one) for one in list_allowed())) == []


def test_the_role_allows_nothing_that_the_worker_never_calls(calls: list[dict[str, Any]]) -> None:
    """Each action on each resource of the policy was needed by some call."""
    used = {right for call in calls for right in rights.used(call)}
    idle = {one for one in list_allowed() if not any(right.is_covered_by(one) for right in used)}
    assert sorted(idle - BY_LAMBDA_ITSELF) == []
    assert BY_LAMBDA_ITSELF - list_allowed() == set()
