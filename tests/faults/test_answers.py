"""Calls that AWS throttles, fails, answers late, or carries out while the answer is lost."""

from typing import Any

import pytest

from scripts.jobs import sending
from tests.faults.stage import Faulty

OPERATIONS = (
    "dynamodb.UpdateItem",
    "dynamodb.BatchGetItem",
    "dynamodb.TransactWriteItems",
    "dynamodb.BatchWriteItem",
    "sqs.SendMessageBatch",
    "sqs.DeleteMessage",
)
"""The worker's calls for one job, except the receive, whose failure only means that no message is received."""
FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"code": "ThrottlingException"},
    "failed": {"code": "InternalServerError", "status": 500},
    "lost": {"when": "after", "status": 500},
    "late": {"delay": 3.5},  # the worker's client waits 3 s
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_faulty_answer_costs_nothing(stage: Faulty, operation: str, fault: str) -> None:
    """A job has exactly one effect although a call was throttled, failed or late, or its answer was lost."""
    stage.send([sending.create_body(stage.job())])
    stage.faults({"operation": operation, **FAULTS[fault]})
    stage.drain()
    assert [rule["times"] for rule in stage.list_faults()] == [0]
    assert stage.broken() == []


@pytest.mark.parametrize("operation", ["dynamodb.UpdateItem", "dynamodb.TransactWriteItems", "sqs.SendMessageBatch"])
def test_an_outage_is_waited_out(stage: Faulty, operation: str) -> None:
    """If a service fails for longer than the client retries, the next receive completes the job."""
    stage.send([sending.create_body(stage.job())])
    stage.faults({"operation": operation, "code": "ThrottlingException", "times": 7})
    stage.drain()
    assert stage.broken() == []


@pytest.mark.parametrize("operation", ["dynamodb.TransactWriteItems", "sqs.SendMessageBatch"])
def test_a_write_whose_answers_are_all_lost_is_made_once(stage: Faulty, operation: str) -> None:
    """A call whose answer is lost at every attempt leaves one result and one distinct response."""
    stage.send([sending.create_body(stage.job())])
    stage.faults({"operation": operation, "when": "after", "status": 500, "times": 4})
    stage.drain()
    assert stage.broken() == []
