"""Faults on request."""

import json
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import REGION, Clients, refusal, wait_for

FAULTS = "/_local_aws/faults"


@pytest.fixture(autouse=True)
def no_rules_left(local_aws: Instance) -> Iterator[None]:
    """Other tests run without faults."""
    yield
    ask(local_aws, FAULTS, [])


def test_fault_before_a_call_has_no_effect_and_is_used_up(aws: Clients, local_aws: Instance) -> None:
    """A fault before CreateQueue refuses it once with its code; nothing was created; the next call works."""
    ask(local_aws, FAULTS, [{"operation": "sqs.CreateQueue", "code": "RequestThrottled"}])
    sqs = aws("sqs")
    assert refusal(sqs.create_queue, QueueName="fault-before").startswith("RequestThrottled")
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="fault-before")
    sqs.create_queue(QueueName="fault-before")


def test_fault_after_a_call_hides_its_success(aws: Clients, local_aws: Instance) -> None:
    """A fault after CreateQueue gives the caller an error although the queue exists."""
    ask(local_aws, FAULTS, [{"operation": "sqs.CreateQueue", "when": "after", "status": 500}])
    with pytest.raises(ClientError):
        aws("sqs").create_queue(QueueName="fault-after")
    assert len(aws("sqs").list_queues(QueueNamePrefix="fault-after")["QueueUrls"]) == 1


def test_a_held_call_waits_for_the_next_rules_and_succeeds(aws: Clients, local_aws: Instance) -> None:
    """A held call has no effect until the rules are replaced; other access keys are not held, and `hit` names it."""
    rule = {"operation": "sqs.*", "hold": 60, "skip": 1, "caller": "test"}
    ask(local_aws, FAULTS, [rule])
    sqs = aws("sqs")
    other = boto3.client(
        "sqs",
        region_name=REGION,
        endpoint_url=local_aws.endpoint,
        aws_access_key_id="other",
        aws_secret_access_key="other",
    )
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="fault-held")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sqs.create_queue, QueueName="fault-held")
        wait_for(lambda: "hit" in ask(local_aws, FAULTS)[0], "the call")
        assert "QueueUrls" not in other.list_queues(QueueNamePrefix="fault-held")
        assert [(one["hit"], one["times"]) for one in ask(local_aws, FAULTS)] == [("sqs.CreateQueue", 0)]
        ask(local_aws, FAULTS, [])
        assert held.result()["QueueUrl"].endswith("/fault-held")


def test_rule_with_an_unknown_key_is_refused(local_aws: Instance) -> None:
    """A misspelt rule, or one of the wrong kind, is an error with all its problems; the rules stay as they were."""
    rule = {"operation": "CreateQueue", "time": 3, "times": "3", "delay": -1, "status": True, "when": "later"}
    assert problems(local_aws, FAULTS, [rule]) == [
        "rule 0: unknown key 'time'",
        "rule 0: times must be a number, 0 or more",
        "rule 0: status must be a number, 0 or more",
        "rule 0: delay must be a number, 0 or more",
        "rule 0: operation must be like dynamodb.PutItem",
        "rule 0: when must be before or after",
    ]
    for odd in ("rule", {"operation": "sqs.CreateQueue"}, ["sqs.CreateQueue"]):
        assert problems(local_aws, FAULTS, odd) == ["expected a list of objects"]
    assert ask(local_aws, FAULTS) == []


def test_kill_that_names_no_environment_is_refused(local_aws: Instance) -> None:
    """A misspelt request kills nothing: it would otherwise mean all environments."""
    for odd in ({"name": "function"}, ["function"], "function"):
        assert "expected" in problems(local_aws, "/_local_aws/environments/kill", odd)[0]


def problems(running: Instance, path: str, content: Any) -> list[str]:
    """Return the problems that a rejected request reports."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(running, path, content)
    assert caught.value.code == 400
    output: list[str] = json.loads(caught.value.read())["problems"]
    return output
