"""A queue of its own for each batch, and what an event source does with it: receive, hand over, delete."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts._aws import Aws

HIDDEN_S = 120


@dataclass(frozen=True)
class Source:
    """A request queue."""

    client: Any
    url: str
    arn: str

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps its groups' order."""
        return self.arn.endswith(".fifo")

    def send(self, bodies: Sequence[str], groups: Sequence[str | None]) -> list[str]:
        """Send up to ten messages; their ids, in that order."""
        entries: list[dict[str, Any]] = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        for entry, group in zip(entries, groups, strict=True):
            if group is not None:
                entry |= {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}
        answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
        ids = {taken["Id"]: str(taken["MessageId"]) for taken in answer["Successful"]}
        return [ids[entry["Id"]] for entry in entries]

    def receive(self, ids: Sequence[str]) -> dict[str, Any]:
        """The event that carries these messages, in that order."""
        found: dict[str, dict[str, Any]] = {}
        while len(found) < len(ids):
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"]
            )
            assert "Messages" in answer, f"{len(ids) - len(found)} messages do not come"
            found |= {message["MessageId"]: message for message in answer["Messages"]}
        return {"Records": [record(found[identity], self.arn) for identity in ids]}

    def settle(self, event: dict[str, Any], kept: set[str]) -> None:
        """Delete the messages that were not named; those that were may come back at once."""
        entries: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for number, record in enumerate(event["Records"]):
            entry = {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
            entries[record["messageId"] in kept].append(entry)
        if entries[False]:
            self.client.delete_message_batch(QueueUrl=self.url, Entries=entries[False])
        if entries[True]:
            again = [{**entry, "VisibilityTimeout": 0} for entry in entries[True]]
            self.client.change_message_visibility_batch(QueueUrl=self.url, Entries=again)


def record(message: dict[str, Any], arn: str) -> dict[str, Any]:
    """A received message as the record that an event source makes of it for a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def make_source(aws: Aws, fifo: bool) -> Source:
    """A new request queue, standard or FIFO."""
    client, suffix = aws.client("sqs"), ".fifo" if fifo else ""
    attributes = {"VisibilityTimeout": str(HIDDEN_S)} | ({"FifoQueue": "true"} if fifo else {})
    url = client.create_queue(QueueName=f"batch-{uuid.uuid4().hex[:12]}{suffix}", Attributes=attributes)["QueueUrl"]
    told = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return Source(client, url, told["Attributes"]["QueueArn"])
