"""A queue for each batch, with the actions of an event source: receive, invoke, delete."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.aws.clients import Aws

HIDDEN_S = 120


@dataclass(frozen=True)
class Source:
    """A request queue."""

    client: Any
    url: str
    arn: str

    @property
    def is_fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.arn.endswith(".fifo")

    def send(self, bodies: Sequence[str], groups: Sequence[str | None]) -> list[str]:
        """Send up to ten messages; returns their ids, in order."""
        entries: list[dict[str, Any]] = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
        for entry, group in zip(entries, groups, strict=True):
            if group is not None:
                entry |= {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}
        answer = self.client.send_message_batch(QueueUrl=self.url, Entries=entries)
        ids = {taken["Id"]: str(taken["MessageId"]) for taken in answer["Successful"]}
        return [ids[entry["Id"]] for entry in entries]

    def receive(self, ids: Sequence[str]) -> dict[str, Any]:
        """Receive these messages, and return an event with them in this order."""
        by_name: dict[str, dict[str, Any]] = {}
        while len(by_name) < len(ids):
            answer = self.client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=5, MessageSystemAttributeNames=["All"]
            )
            assert "Messages" in answer, f"{len(ids) - len(by_name)} messages do not come"
            by_name |= {message["MessageId"]: message for message in answer["Messages"]}
        return {"Records": [record(by_name[identity], self.arn) for identity in ids]}

    def receive_visible(self, hidden_s: int) -> dict[str, Any] | None:
        """Receive up to ten visible messages, and return an event with them; None if there is none for two seconds."""
        results: list[dict[str, Any]] = []
        while len(results) < 10:
            answer = self.client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10 - len(results),
                WaitTimeSeconds=0 if results else 2,
                VisibilityTimeout=hidden_s,
                MessageSystemAttributeNames=["All"],
            )
            if "Messages" not in answer:
                break
            results += answer["Messages"]
        return {"Records": [record(message, self.arn) for message in results]} if results else None

    def settle(self, event: dict[str, Any], kept: set[str]) -> None:
        """Delete the messages that were not named, and make the named ones visible."""
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
    """Convert a received message to a record of an SQS event."""
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
    """Create a request queue, standard or FIFO."""
    client, suffix = aws.client("sqs"), ".fifo" if fifo else ""
    attributes: Any = {"VisibilityTimeout": str(HIDDEN_S)} | ({"FifoQueue": "true"} if fifo else {})
    url = client.create_queue(QueueName=f"batch-{uuid.uuid4().hex[:12]}{suffix}", Attributes=attributes)["QueueUrl"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return Source(client, url, answer["Attributes"]["QueueArn"])
