"""SQS: receive, delete, visibility, send. Queues are named by URL or, as events name them, by ARN."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from handler import aws, message, redact, tracing
from handler.exceptions import Misconfigured

LONGEST_VISIBILITY = 43_200  # seconds; SQS allows 12 hours from the receipt
_LONGEST_DELAY = 900
_BATCH = 10
_MAXIMUM_MESSAGE_BYTES = 262_144
_REASON = "reason"
_SYSTEM_ATTRIBUTES = ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId", tracing.MESSAGE]


@dataclass(frozen=True)
class Delivery:
    """One receipt of one message.

    `receive_count` is None where the event does not tell (fan-out); `group` is a FIFO queue's message group;
    `received_by_us` says that nobody but the worker deletes the message; `sender_trace_id` is its sender's X-Ray trace.
    """

    message_id: str
    body: str
    receipt_handle: str
    queue: str
    receive_count: int | None = None
    group: str | None = None
    sent: float | None = None
    received_by_us: bool = False
    sender_trace_id: str | None = None


@dataclass(frozen=True)
class Redrive:
    """What a queue does with a message that is received too often; None where it has no dead-letter queue."""

    dead_letter_queue_url: str | None
    max_receive_count: int | None


@dataclass(frozen=True)
class Response:
    """What is sent for a committed result."""

    scoring_job_id: str
    score_result_id: str


class Queues:
    """`client` is boto3's SQS client, `long_poll` one that waits longer for its answer."""

    def __init__(
        self, client: Any, long_poll: Any, request_url: str, response_url: str, dead_letter_url: str | None = None
    ):
        self._client, self._long_poll = client, long_poll
        self.request_url, self._response_url, self._dead_letter_url = request_url, response_url, dead_letter_url
        self._urls: dict[str, str] = {}
        self._redrives: dict[str, Redrive] = {}

    def receive(self, wait: float, visibility: float) -> Delivery | None:
        """One message of the request queue, or None after `wait` seconds without any."""
        with aws.calling("receive a message"):
            answer = self._long_poll.receive_message(
                QueueUrl=self.request_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=max(0, min(aws.LONGEST_POLL, int(wait))),
                VisibilityTimeout=_whole(visibility, LONGEST_VISIBILITY),
                MessageSystemAttributeNames=_SYSTEM_ATTRIBUTES,
            )
        for received in answer.get("Messages", []):
            attributes = received.get("Attributes", {})
            return Delivery(
                message_id=received["MessageId"],
                body=received["Body"],
                receipt_handle=received["ReceiptHandle"],
                queue=self.request_url,
                receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
                group=attributes.get("MessageGroupId"),
                sent=float(attributes["SentTimestamp"]) / 1000 if "SentTimestamp" in attributes else None,
                received_by_us=True,
                sender_trace_id=tracing.trace_id(attributes.get(tracing.MESSAGE)),
            )
        return None

    def delete(self, delivery: Delivery) -> None:
        """Remove a message that is done with."""
        with aws.calling("delete the message"):
            self._client.delete_message(QueueUrl=self.url(delivery.queue), ReceiptHandle=delivery.receipt_handle)

    def set_visibility(self, deliveries: Iterable[Delivery], seconds: float) -> None:
        """When messages may be received again, from now. A receipt that is no longer valid is no error."""
        by_queue: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            by_queue.setdefault(delivery.queue, []).append(delivery)
        for queue, its in by_queue.items():
            for start in range(0, len(its), _BATCH):
                entries = [
                    {
                        "Id": str(number),
                        "ReceiptHandle": delivery.receipt_handle,
                        "VisibilityTimeout": _whole(seconds, LONGEST_VISIBILITY),
                    }
                    for number, delivery in enumerate(its[start : start + _BATCH])
                ]
                with aws.calling("change the visibility"):
                    self._client.change_message_visibility_batch(QueueUrl=self.url(queue), Entries=entries)

    def respond(self, responses: Sequence[Response]) -> set[str]:
        """Send a response for each; the jobs' ids whose responses SQS took."""
        sent: set[str] = set()
        for start in range(0, len(responses), _BATCH):
            part = responses[start : start + _BATCH]
            entries = [self._response_entry(str(number), response) for number, response in enumerate(part)]
            with aws.calling("send responses"):
                answer = self._client.send_message_batch(QueueUrl=self._response_url, Entries=entries)
            sent |= {part[int(taken["Id"])].scoring_job_id for taken in answer.get("Successful", [])}
        return sent

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Send a message's body, unchanged, to the dead-letter queue with the reason as an attribute."""
        url = self.redrive(delivery.queue).dead_letter_queue_url
        if not url:
            raise Misconfigured("the queue has no dead-letter queue, so a message that cannot succeed stays in it")
        attributes = {_REASON: {"DataType": "String", "StringValue": redact.printable(reason) or "unknown"}}
        size = len(delivery.body.encode(errors="replace")) + len(reason.encode(errors="replace")) + 32
        with aws.calling("send to the dead-letter queue"):
            self._client.send_message(
                QueueUrl=url,
                MessageBody=delivery.body,
                # A body that fills a message alone leaves no room for the reason; the log has it.
                MessageAttributes=attributes if size <= _MAXIMUM_MESSAGE_BYTES else {},
                **_fifo(url, delivery.group or delivery.message_id, delivery.message_id),
            )

    def requeue(self, delivery: Delivery, delay: float, unique: str) -> None:
        """Send a fresh copy of a message to its own queue; `unique` keeps a FIFO queue from dropping it."""
        url = self.url(delivery.queue)
        extra = _fifo(url, delivery.group or delivery.message_id, unique)
        if not extra:
            extra["DelaySeconds"] = _whole(delay, _LONGEST_DELAY)
        with aws.calling("send the message again"):
            self._client.send_message(QueueUrl=url, MessageBody=delivery.body, **extra)

    def redrive(self, queue: str) -> Redrive:
        """The queue's redrive policy, asked for once."""
        if queue not in self._redrives:
            with aws.calling("read the queue's redrive policy"):
                answer = self._client.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=["RedrivePolicy"])
            policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy") or "{}")
            target = policy.get("deadLetterTargetArn")
            count = policy.get("maxReceiveCount")
            url = self._dead_letter_url or (self.url(target) if target else None)
            self._redrives[queue] = Redrive(url, int(count) if count else None)
        return self._redrives[queue]

    def url(self, queue: str) -> str:
        """The URL of a queue named by ARN, asked for once; a URL is itself."""
        if not queue.startswith("arn:"):
            return queue
        if queue not in self._urls:
            _, _, _, _, account, name = queue.split(":", 5)
            if self.request_url.rstrip("/").endswith(f"/{account}/{name}"):
                self._urls[queue] = self.request_url
            else:
                with aws.calling("find the queue"):
                    answer = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
                self._urls[queue] = answer["QueueUrl"]
        return self._urls[queue]

    def _response_entry(self, number: str, response: Response) -> dict[str, Any]:
        body = message.response(response.score_result_id)
        extra = _fifo(self._response_url, response.scoring_job_id, response.score_result_id)
        return {"Id": number, "MessageBody": body, **extra}


def _fifo(url: str, group: str, unique: str) -> dict[str, Any]:
    """What a FIFO queue wants with each message; ids of SQS's own alphabet and length."""
    if not url.endswith(".fifo"):
        return {}
    return {"MessageGroupId": _identifier(group), "MessageDeduplicationId": _identifier(unique)}


def _identifier(text: str) -> str:
    """The text where SQS takes it as an id (128 printable ASCII characters), else a digest of it."""
    if text and len(text) <= 128 and text.isascii() and text.isprintable() and " " not in text:
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _whole(seconds: float, limit: int) -> int:
    """Whole seconds, rounded up, within SQS's limit."""
    return max(0, min(limit, -int(-seconds // 1)))
