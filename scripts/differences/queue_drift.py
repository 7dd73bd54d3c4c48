"""Drift of the queues (visibility timeout, dead-letter queue, encryption) and of the repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..aws.clients import Aws
from ..console.errors import NotFound
from .difference import Difference, compare


def compare_queues(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the four queues from the stage file."""
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
    result = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(result.get("RedrivePolicy", "{}"))
    count = redrive.get("maxReceiveCount")
    yield from compare(
        f"queue {name}",
        expected,
        {
            "visibility timeout": result.get("VisibilityTimeout"),
            "dead-letter queue": redrive.get("deadLetterTargetArn", "").rpartition(":")[2] or None,
            "receives": int(count) if count is not None else None,
            "encrypted": result.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in result,
        },
    )


def compare_repository(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the repository: its tags must be immutable."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        response = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        yield Difference(f"repository {name}", "repository", "present", "absent")
        return
    yield from compare(f"repository {name}", {"tags": "IMMUTABLE"}, {"tags": response.get("imageTagMutability")})
