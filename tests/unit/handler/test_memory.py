"""What the model in memory does with time, which a comparison with the local AWS would have to wait for."""

from tests.memory.sqs import MemorySQS


def test_a_deduplication_id_is_known_for_five_minutes() -> None:
    """A FIFO queue drops a second message with the same id within five minutes, and takes one after them."""
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
