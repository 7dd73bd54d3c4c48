"""Looks for drift at the queues: visibility, redrive and encryption."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ._aws import Aws
from ._difference import Difference, compare
from ._errors import NotFound


def queues(aws: Aws) -> Iterator[Difference]:
    """Request and response queue with their dead-letter queues are there, as the stage file says."""
    names = aws.stage.queues
    request = {
        "visibility timeout": str(names.visibility_timeout_s),
        "dead-letter queue": names.request_dead_letters,
        "receives": names.max_receive_count,
    }
    response = {"dead-letter queue": names.response_dead_letters, "receives": names.max_receive_count}
    for name, expected in {
        names.request: request,
        names.response: response,
        names.request_dead_letters: {},
        names.response_dead_letters: {},
    }.items():
        yield from _queue(aws, name, {**expected, "encrypted": True})


def _queue(aws: Aws, name: str, expected: dict[str, Any]) -> Iterator[Difference]:
    try:
        url = aws.queue_url(name)
    except NotFound:
        yield Difference(f"queue {name}", "queue", "present", "absent")
        return
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(found.get("RedrivePolicy", "{}"))
    count = redrive.get("maxReceiveCount")
    yield from compare(
        f"queue {name}",
        expected,
        {
            "visibility timeout": found.get("VisibilityTimeout"),
            "dead-letter queue": redrive.get("deadLetterTargetArn", "").rpartition(":")[2] or None,
            "receives": int(count) if count is not None else None,
            "encrypted": found.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in found,
        },
    )
