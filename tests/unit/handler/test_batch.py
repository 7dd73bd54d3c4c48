import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import batch
from handler.batch import Ending, Outcome
from handler.exceptions import InvalidEvent
from handler.queues import Delivery

RECORD = {
    "messageId": "message-1",
    "receiptHandle": "handle-1",
    "body": "{}",
    "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1800000000123", "MessageGroupId": "a"},
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests.fifo",
}


def delivery(number: int, group: str | None) -> Delivery:
    """A delivery of its number."""
    return Delivery(f"message-{number}", "{}", f"handle-{number}", "arn:queue", group=group)


@pytest.mark.parametrize(
    "event", [None, [], {}, {"Records": []}, {"Records": "x"}, {"Records": [{"eventSource": "aws:s3"}]}]
)
def test_only_sqs_records_make_a_batch(event: object) -> None:
    """Anything that is not an SQS event is not taken for one."""
    assert not batch.is_batch(event)


def test_a_record_becomes_a_delivery() -> None:
    """Receive count, group and time of sending come from the record's attributes."""
    (made,) = batch.deliveries({"Records": [RECORD]})
    assert (made.receive_count, made.group, made.sent) == (2, "a", 1_800_000_000.123)


def test_a_group_orders_nothing_in_a_standard_queue() -> None:
    """A standard queue's group id (fair queues) does not make a FIFO group."""
    (made,) = batch.deliveries(
        {"Records": [{**RECORD, "eventSourceARN": "arn:aws:sqs:us-west-2:000000000000:requests"}]}
    )
    assert made.group is None


def test_an_incomplete_record_is_named() -> None:
    """A record that SQS would not send raises an error that names what it lacks."""
    with pytest.raises(InvalidEvent, match="receiptHandle"):
        batch.deliveries({"Records": [{name: RECORD[name] for name in RECORD if name != "receiptHandle"}]})


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.booleans()), min_size=1, max_size=10))
def test_exactly_the_right_failures_are_named(plan: list[tuple[str | None, bool]]) -> None:
    """Named are the failed ones, and in a group all after the first failure, which are not even begun."""
    members = [delivery(number, group) for number, (group, _) in enumerate(plan)]
    begun: list[Delivery] = []

    def work(ready: Sequence[Delivery]) -> list[Outcome]:
        begun.extend(ready)
        return [Outcome(each, Ending.COMPLETED if plan[members.index(each)][1] else Ending.RETRIED) for each in ready]

    answer = batch.answer(members, batch.rounds(members, work))
    stopped: set[str] = set()
    expected, untouched = [], []
    for number, (group, good) in enumerate(plan):
        if group in stopped:
            untouched.append(members[number])
        if not good or group in stopped:
            expected.append({"itemIdentifier": f"message-{number}"})
            stopped |= {group} if group else set()
    assert answer == {"batchItemFailures": expected}
    assert not set(begun) & set(untouched)
    for group in "abc":
        order = [each for each in begun if each.group == group]
        assert order == [each for each in members if each in order]


def test_an_answer_is_json() -> None:
    """What is returned to the event source can be serialized."""
    assert json.dumps(batch.answer([delivery(1, None)], []))
