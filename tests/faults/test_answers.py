"""Calls that AWS throttles, fails, answers late, or carries out without the caller learning of it."""

from typing import Any

import pytest

from scripts import enqueue
from tests.faults.stage import Faulty

OPERATIONS = (
    "dynamodb.UpdateItem",
    "dynamodb.BatchGetItem",
    "dynamodb.TransactWriteItems",
    "dynamodb.BatchWriteItem",
    "sqs.SendMessageBatch",
    "sqs.DeleteMessage",
)
"""What the worker calls for one job, less the receive, whose failure only means that nothing is taken."""
FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"code": "ThrottlingException"},
    "failed": {"code": "InternalServerError", "status": 500},
    "lost": {"when": "after", "status": 500},
    "late": {"delay": 3.5},  # the worker's client waits 3 s
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_faulty_answer_costs_nothing(stage: Faulty, operation: str, fault: str) -> None:
    """A job whose call was throttled, failed, late or carried out unheard ends with one effect all the same."""
    stage.send([enqueue.body(stage.job())])
    stage.faults({"operation": operation, **FAULTS[fault]})
    stage.drain()
    assert [rule["times"] for rule in stage.left()] == [0]
    assert stage.broken() == []


@pytest.mark.parametrize("operation", ["dynamodb.UpdateItem", "dynamodb.TransactWriteItems", "sqs.SendMessageBatch"])
def test_an_outage_is_waited_out(stage: Faulty, operation: str) -> None:
    """A service that fails for longer than a client tries hands the job to the next receive, and nothing is lost."""
    stage.send([enqueue.body(stage.job())])
    stage.faults({"operation": operation, "code": "ThrottlingException", "times": 7})
    stage.drain()
    assert stage.broken() == []


@pytest.mark.parametrize("operation", ["dynamodb.TransactWriteItems", "sqs.SendMessageBatch"])
def test_a_write_whose_answers_are_all_lost_is_made_once(stage: Faulty, operation: str) -> None:
    """A call that is carried out at every try and heard of at none leaves one result and one distinct response."""
    stage.send([enqueue.body(stage.job())])
    stage.faults({"operation": operation, "when": "after", "status": 500, "times": 4})
    stage.drain()
    assert stage.broken() == []
