from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler import fifo, sqs_event
from handler.message import Message
from handler.outcome import Disposition, MessageOutcome
from tests.memory.world import World

BATCHES = st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.booleans()), min_size=1, max_size=10)


def message(number: int, group: str | None) -> Message:
    """Return a message of a FIFO queue."""
    return Message(f"message-{number}", "{}", f"handle-{number}", "arn:queue.fifo", group=group)


@given(BATCHES)
def test_exactly_the_right_failures_are_named(plan: list[tuple[str | None, bool]]) -> None:
    """The response lists the failed messages and, within a group, every later one; those are not even started."""
    messages = [message(number, group) for number, (group, _) in enumerate(plan)]
    succeeds = {member.message_id: good for member, (_, good) in zip(messages, plan, strict=True)}
    outcomes: list[MessageOutcome] = []
    for members in fifo.split_rounds(messages):
        for member in fifo.select_unblocked(members, outcomes):
            good = succeeds[member.message_id]
            outcomes.append(MessageOutcome(member, Disposition.COMPLETED if good else Disposition.RETRIED))
    blocked: set[str | None] = set()
    expected, not_started = [], []
    for member in messages:
        if member.group in blocked:
            not_started.append(member)
        if not succeeds[member.message_id] or member.group in blocked:
            expected.append({"itemIdentifier": member.message_id})
            blocked |= {member.group} if member.group else set()
    assert sqs_event.create_batch_response(messages, outcomes) == {"batchItemFailures": expected}
    started = [outcome.message for outcome in outcomes]
    assert [member for member in started if member in not_started] == []
    for group in "abc":
        order = [member for member in started if member.group == group]
        assert order == [member for member in messages if member in order]


@given(BATCHES)
def test_a_round_has_at_most_one_message_of_a_group(plan: list[tuple[str | None, bool]]) -> None:
    """Every message is in exactly one round, and the messages of one round can be processed at the same time."""
    messages = [message(number, group) for number, (group, _) in enumerate(plan)]
    rounds = fifo.split_rounds(messages)
    assert sorted(member.message_id for members in rounds for member in members) == sorted(
        member.message_id for member in messages
    )
    for members in rounds:
        groups = [member.group for member in members if member.group]
        assert len(groups) == len(set(groups))


@pytest.mark.parametrize(
    ("group", "is_kept"),
    [("a", True), ("a" * 128, True), ("a" * 129, False), ("é", False), ("a b", False), ("\t", False)],
)
def test_a_group_that_sqs_rejects_is_replaced_by_a_digest(tmp_path: Path, group: str, is_kept: bool) -> None:
    """A dead letter keeps its group if that is an id of SQS: up to 128 printable characters of ASCII."""
    world = World(tmp_path, fifo=True)
    world.send("nonsense", group=group)
    assert world.batch(world.runtime()) == []
    (letter,) = world.dead_letters.messages
    assert (letter.group == group) == is_kept
    assert len(letter.group or "") <= 128


def test_a_message_that_is_sent_again_at_its_last_receive_keeps_its_group(tmp_path: Path) -> None:
    """Its copy is no duplicate for the FIFO queue, is in the same group, and is processed once the job is free."""
    world = World(tmp_path, fifo=True)
    world.requests.max_receive_count = 1
    world.send_jobs(world.job(status="IN_PROGRESS", leaseOwner="another", leaseUntil=world.time + 40), group="a")
    for _ in range(2):  # the second copy is a copy of the first
        assert world.batch(world.runtime()) == []
        (copy,) = world.requests.messages
        assert (copy.receives, copy.group) == (0, "a")
    world.skip(100)
    assert world.batch(world.runtime()) == []
    assert (world.status("job-1"), world.requests.messages, world.reasons()) == ("COMPLETED", [], [])
