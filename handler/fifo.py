"""The order of a FIFO queue's messages within a batch. Pure functions.

The messages of a group must be processed one after the other, while groups are independent. A batch is therefore
processed in rounds: the first message of each group, then the second of each, and so on. A batch from a standard queue
is a single round.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from handler.message import Message
from handler.outcome import MessageOutcome


def split_rounds(messages: Iterable[Message]) -> list[list[Message]]:
    """Split a batch into rounds; round n contains message n of each group, and round 0 all messages without a group.

    Within a round the messages keep their order.
    """
    result: list[list[Message]] = []
    counts: Counter[str] = Counter()
    for message in messages:
        number = 0
        if message.group is not None:
            number = counts[message.group]
            counts[message.group] += 1
        if number == len(result):
            result.append([])
        result[number].append(message)
    return result


def select_unblocked(messages: Sequence[Message], outcomes: Iterable[MessageOutcome]) -> list[Message]:
    """Return the messages whose group has no earlier message that stays on the queue.

    Processing a later message of such a group would break the order, since the earlier one is delivered again.
    """
    blocked = {outcome.message.group for outcome in outcomes if not outcome.disposition.deletes_message}
    return [message for message in messages if message.group is None or message.group not in blocked]
