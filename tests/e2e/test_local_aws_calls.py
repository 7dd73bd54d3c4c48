"""Calls are recorded on request."""

import urllib.error

import pytest

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import Clients

CALLS = "/_local_aws/calls"


def test_a_call_is_told_with_its_caller_and_resource(aws: Clients, local_aws: Instance) -> None:
    """While recording, each distinct call is listed once with caller, operation and resource; afterwards none is."""
    ask(local_aws, CALLS, {"record": True})
    for _ in range(2):
        aws("sqs").create_queue(QueueName="recorded")
    ask(local_aws, CALLS, {"record": True})
    url = aws("sqs").create_queue(QueueName="recorded")["QueueUrl"]
    aws("sqs").get_queue_attributes(QueueUrl=url)
    created = {"caller": "test", "service": "sqs"}
    assert ask(local_aws, CALLS) == [
        {**created, "operation": "CreateQueue", "parameters": {"QueueName": "recorded"}},
        {**created, "operation": "GetQueueAttributes", "parameters": {"QueueUrl": url}},
    ]
    ask(local_aws, CALLS, {"record": False})
    aws("sqs").list_queues()
    assert ask(local_aws, CALLS) == []


def test_a_switch_that_says_neither_is_refused(local_aws: Instance) -> None:
    """Anything but true or false is an error."""
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(local_aws, CALLS, {"record": "yes"})
