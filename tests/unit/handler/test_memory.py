"""Behaviour over time of the model in memory, for which a comparison with the local AWS would have to wait."""

from tests.memory.sqs import MemorySQS


def test_a_deduplication_id_lasts_for_five_minutes() -> None:
    """A FIFO queue drops a message with the same deduplication id for five minutes, and then accepts it."""
    now = 1000.0
    sqs = MemorySQS(lambda: now)
    queue = sqs.create("requests.fifo")
    message = {"QueueUrl": queue.url, "MessageGroupId": "group", "MessageDeduplicationId": "id"}
    first = sqs.call("SendMessage", {**message, "MessageBody": "first"})
    now += 299
    assert sqs.call("SendMessage", {**message, "MessageBody": "second"})["MessageId"] == first["MessageId"]
    assert sqs.bodies(queue.name) == ["first"]
    now += 1
    sqs.call("SendMessage", {**message, "MessageBody": "third"})
    assert sqs.bodies(queue.name) == ["first", "third"]
