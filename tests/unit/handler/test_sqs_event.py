import json

import pytest

from handler import sqs_event
from handler.exceptions import InvalidEvent
from handler.message import Message

RECORD = {
    "messageId": "message-1",
    "receiptHandle": "handle-1",
    "body": "{}",
    "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1800000000123", "MessageGroupId": "a"},
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests.fifo",
}


def test_a_record_becomes_a_message() -> None:
    """The receive count, group and time of sending are read from the record's attributes."""
    (message,) = sqs_event.parse_messages([RECORD])
    assert (message.receive_count, message.group, message.sent) == (2, "a", 1_800_000_000.123)


def test_a_standard_queue_has_no_groups() -> None:
    """The group id of a message in a standard queue (fair queues) is ignored, since it orders nothing."""
    (message,) = sqs_event.parse_messages([{**RECORD, "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests"}])
    assert message.group is None


def test_an_incomplete_record_is_rejected_by_the_name_of_its_field() -> None:
    """A record without a required field raises an error that names the field."""
    with pytest.raises(InvalidEvent, match="receiptHandle"):
        sqs_event.parse_messages([{name: RECORD[name] for name in RECORD if name != "receiptHandle"}])


def test_a_batch_response_is_json() -> None:
    """The response to the event source can be serialized, and lists a message that has no outcome."""
    response = sqs_event.create_batch_response([Message("message-1", "{}", "handle-1", "arn:queue")], [])
    assert json.loads(json.dumps(response)) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
