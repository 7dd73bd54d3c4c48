"""Models that lack one of their rules: each has to be told from the local AWS."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.memory import dynamodb, sqs
from tests.memory.dynamodb import MemoryDynamoDB
from tests.memory.sqs import MemorySQS, Message, Queue

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def every_condition_is_met(patch: Patch) -> None:
    """Conditions are not looked at."""
    patch.setattr(dynamodb, "met", lambda _request, _item: True)


def half_a_transaction(patch: Patch) -> None:
    """A transaction's parts are written one after the other."""
    whole = MemoryDynamoDB._transact

    def halves(self: MemoryDynamoDB, request: dict[str, Any]) -> dict[str, Any]:
        return [whole(self, {"TransactItems": [part]}) for part in request["TransactItems"]][-1]

    patch.setattr(MemoryDynamoDB, "_transact", halves)


def any_placeholder(patch: Patch) -> None:
    """Names and values need not be used."""
    patch.setattr(dynamodb, "refuse_placeholders", lambda _request: None)


def any_size(patch: Patch) -> None:
    """Items may be as large as they like."""
    patch.setattr(dynamodb, "MAXIMUM_RECORD_BYTES", 1 << 40)


def no_old_item(patch: Patch) -> None:
    """Who fails a condition is not told the item."""
    patch.setattr(dynamodb, "_old", lambda _request, _item: {})


def no_deduplication(patch: Patch) -> None:
    """Deduplication ids are forgotten at once."""
    patch.setattr(sqs, "UNIQUE_S", 0.0)


def a_receive_too_many(patch: Patch) -> None:
    """A message becomes a dead letter one receive late."""
    receive = MemorySQS.receive

    def late(self: MemorySQS, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        queue.max_receive_count += 1
        received = receive(self, queue, most, visibility)
        queue.max_receive_count -= 1
        return received

    patch.setattr(MemorySQS, "receive", late)


def counted_anew(patch: Patch) -> None:
    """A dead letter's receives begin at nought."""
    receive = MemorySQS.receive

    def forgetful(self: MemorySQS, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        received = receive(self, queue, most, visibility)
        for other in self.queues.values():
            for message in other.messages:
                if message.before:
                    message.receives, message.before = message.receives - message.before, 0
        return received

    patch.setattr(MemorySQS, "receive", forgetful)


def no_groups(patch: Patch) -> None:
    """A group does not wait for its messages in flight."""
    patch.setattr(Queue, "in_turn", lambda self, now: [each for each in self.messages if each.visible <= now])


def one_handle(patch: Patch) -> None:
    """Only the newest receipt handle of a message is known."""

    def newest(self: Queue, handle: str) -> Message | None:
        return next((message for message in self.messages if message.handles[-1:] == [handle]), None)

    patch.setattr(Queue, "holding", newest)


def nought_is_the_default(patch: Patch) -> None:
    """A visibility of nought is taken for none."""
    receive = MemorySQS.receive

    def plain(self: MemorySQS, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        return receive(self, queue, most, visibility or None)

    patch.setattr(MemorySQS, "receive", plain)


OF_TABLES: list[Mutant] = [every_condition_is_met, half_a_transaction, any_placeholder, any_size, no_old_item]
OF_QUEUES: list[tuple[Mutant, str]] = [
    (no_deduplication, "fifo"),
    (a_receive_too_many, "standard"),
    (a_receive_too_many, "groups"),
    (counted_anew, "standard"),
    (no_groups, "groups"),
    (one_handle, "standard"),
    (nought_is_the_default, "fifo"),
]
"""Each with a kind of queue that shows it."""
