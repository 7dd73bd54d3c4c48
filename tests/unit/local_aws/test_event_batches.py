import json

import pytest

from local_aws.event_batches import EVENT_LIMIT, split


@pytest.mark.parametrize("character", ["x", "é", "\0", '"'])
def test_no_batch_is_larger_than_an_event_may_be(character: str) -> None:
    """Sixty messages of 170 kB become several batches, in order, each within Lambda's limit once it is JSON."""
    messages = [{"MessageId": str(number), "Body": character * (1_048_576 // 6)} for number in range(60)]
    batches = list(split(messages))
    assert [message for batch in batches for message in batch] == messages
    assert len(batches) > 1
    assert max(len(json.dumps(batch).encode()) for batch in batches) <= EVENT_LIMIT


def test_small_messages_stay_in_one_batch() -> None:
    """Ten ordinary messages are one batch, and no message is none."""
    messages = [{"MessageId": str(number), "Body": "{}"} for number in range(10)]
    assert list(split(messages)) == [messages]
    assert list(split([])) == []
