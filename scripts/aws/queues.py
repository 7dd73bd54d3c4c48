"""Queues: receive messages, count them, and read the age of the oldest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .clients import Aws

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import DeleteMessageBatchRequestEntryTypeDef, MessageTypeDef

BATCH = 10  # messages of a call; SQS's maximum


def receive(aws: Aws, queue_url: str, *, delete: bool = True, attributes: bool = False) -> list[MessageTypeDef]:
    """Receive every available message, each once, and delete them unless `delete` is False.

    It ends at the first empty response. With `delete=False` messages stay hidden for the queue's visibility timeout,
    and come back after it. Message attributes are fetched only with `attributes`.
    """
    client, by_id = aws.client("sqs"), {}
    names = ["All"] if attributes else []
    while got := client.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=0, MessageAttributeNames=names
    ).get("Messages", []):
        by_id.update({message["MessageId"]: message for message in got})
        if delete:
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)
            ]
            client.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return list(by_id.values())


def receive_some(aws: Aws, queue_url: str) -> list[MessageTypeDef]:
    """Return up to BATCH messages without hiding them from other receivers; AWS may return fewer than there are."""
    return (
        aws.client("sqs")
        .receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=0,
            WaitTimeSeconds=0 if aws.stage.is_local else 1,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        .get("Messages", [])
    )


@dataclass(frozen=True)
class Counts:
    """The messages of a queue: those that wait, those that a consumer has received, and those that are delayed."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed

    def __str__(self) -> str:
        """Format them as `3 waiting, 2 in flight`; states without a message are left out, except the first."""
        others = {"in flight": self.in_flight, "delayed": self.delayed}
        return ", ".join([f"{self.visible} waiting", *(f"{count} {state}" for state, count in others.items() if count)])


def count_messages(aws: Aws, queue_url: str) -> int:
    """Return the number of messages in a queue: visible, in flight and delayed."""
    return read_counts(aws, queue_url).total


def read_counts(aws: Aws, queue_url: str) -> Counts:
    """Return the messages of a queue by state.

    Counts are SQS's approximations, and may lag by up to a minute behind the queue.
    """
    names: list[QueueAttributeNameType] = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return Counts(*(int(attributes[name]) for name in names))


@dataclass(frozen=True)
class Age:
    """The highest age of a queue's oldest message in seconds during the minute that began at `minute`."""

    seconds: float
    minute: datetime


def read_age(aws: Aws, queue: str) -> float:
    """Return the age of the oldest message in seconds, by CloudWatch; 0 without data points."""
    measured = read_measured_age(aws, queue)
    return measured.seconds if measured else 0.0


def read_measured_age(aws: Aws, queue: str) -> Age | None:
    """Return the last age of the oldest message that CloudWatch has; None without data points.

    CloudWatch has a value for each minute, so that the message is older by up to some minutes by now.
    """
    now = datetime.now(UTC)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    last = max(points, key=lambda point: point["Timestamp"], default=None)
    return Age(float(last["Maximum"]), last["Timestamp"]) if last else None
