"""The batches of an event source: as many messages as one invocation's event has room for."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

EVENT_LIMIT = 6_291_456  # maximum size of an event in bytes, as on AWS
_SURROUNDINGS = 1024  # bytes of a record beside the message, and of the list around all records


def split(messages: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the messages in order, in batches whose events are within Lambda's limit. A message is never omitted.

    The size is that of the JSON, in bytes. A message that is too large by itself is a batch of its own, which Lambda
    then rejects.
    """
    batch: list[dict[str, Any]] = []
    total = _SURROUNDINGS
    for message in messages:
        size = _SURROUNDINGS + len(json.dumps(message, default=repr).encode())
        if batch and total + size > EVENT_LIMIT:
            yield batch
            batch, total = [], _SURROUNDINGS
        batch.append(message)
        total += size
    if batch:
        yield batch
