"""Faults on request."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import Clients, refusal

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
    """A fault after CreateQueue tells the caller of a failure although the queue exists."""
    ask(local_aws, FAULTS, [{"operation": "sqs.CreateQueue", "when": "after", "status": 500}])
    with pytest.raises(ClientError):
        aws("sqs").create_queue(QueueName="fault-after")
    assert len(aws("sqs").list_queues(QueueNamePrefix="fault-after")["QueueUrls"]) == 1


def test_rule_with_an_unknown_key_is_refused(local_aws: Instance) -> None:
    """A misspelt rule is an error and leaves the rules as they were."""
    rules: Any = [{"operation": "sqs.CreateQueue", "time": 3}]
    with pytest.raises(OSError, match="400"):
        ask(local_aws, FAULTS, rules)
    assert ask(local_aws, FAULTS) == []
