"""Models without one of their rules; the comparison with the local AWS must detect each of them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.memory import dynamodb, sqs
from tests.memory.dynamodb import MemoryDynamoDB
from tests.memory.sqs import MemorySQS, Message, Queue

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def every_condition_is_met(patch: Patch) -> None:
    """Ignore conditions."""
    patch.setattr(dynamodb, "met", lambda _request, _item: True)


def half_a_transaction(patch: Patch) -> None:
    """Write the parts of a transaction one after the other."""
    whole = MemoryDynamoDB._transact

    def halves(self: MemoryDynamoDB, request: dict[str, Any]) -> dict[str, Any]:
        return [whole(self, {"TransactItems": [part]}) for part in request["TransactItems"]][-1]

    patch.setattr(MemoryDynamoDB, "_transact", halves)


def any_placeholder(patch: Patch) -> None:
    """Accept unused placeholders."""
    patch.setattr(dynamodb, "refuse_placeholders", lambda _request: None)


def any_size(patch: Patch) -> None:
    """Accept items of any size."""
    patch.setattr(dynamodb, "MAXIMUM_RECORD_BYTES", 1 << 40)


def no_old_item(patch: Patch) -> None:
    """Do not return the item that fails a condition."""
    patch.setattr(dynamodb, "_old", lambda _request, _item: {})


def no_deduplication(patch: Patch) -> None:
    """Forget deduplication ids immediately."""
    patch.setattr(sqs, "UNIQUE_S", 0.0)


def a_receive_too_many(patch: Patch) -> None:
    """Dead-letter a message one receive too late."""
    receive = MemorySQS.receive

    def late(self: MemorySQS, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        queue.max_receive_count += 1
        received = receive(self, queue, most, visibility)
        queue.max_receive_count -= 1
        return received

    patch.setattr(MemorySQS, "receive", late)


def counted_anew(patch: Patch) -> None:
    """Reset the receive count of dead letters."""
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
    """Deliver messages of a group while others are in flight."""
    patch.setattr(Queue, "in_turn", lambda self, now: [each for each in self.messages if each.visible <= now])


def one_handle(patch: Patch) -> None:
    """Accept only the newest receipt handle of a message."""

    def newest(self: Queue, handle: str) -> Message | None:
        return next((message for message in self.messages if message.handles[-1:] == [handle]), None)

    patch.setattr(Queue, "holding", newest)


def nought_is_the_default(patch: Patch) -> None:
    """Treat a visibility timeout of 0 as missing."""
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
"""Each mutant with a kind of queue that shows it."""
