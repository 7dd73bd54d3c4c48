"""The worker's SQS calls: receive, delete, change visibility, send. Queues are named by URL or, in events, by ARN."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from handler import aws, message_attributes, tracing_header
from handler.exceptions import Misconfigured
from handler.message import Message, ScoringResponse, create_response_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType
    from mypy_boto3_sqs.type_defs import ChangeMessageVisibilityBatchRequestEntryTypeDef as VisibilityEntry
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef as ResponseEntry

LONGEST_VISIBILITY = 43_200  # seconds; SQS allows 12 hours from the receipt
_LONGEST_DELAY = 900  # seconds; SQS's maximum
_BATCH = 10  # entries of a call; SQS's maximum
_SYSTEM_ATTRIBUTES: "list[MessageSystemAttributeNameType]" = [
    "ApproximateReceiveCount",
    "SentTimestamp",
    "MessageGroupId",
    tracing_header.MESSAGE,
]


class SendParameters(TypedDict, total=False):
    """Parameters of a send: a FIFO queue requires the first two, and accepts no delay of a single message."""

    MessageGroupId: str
    MessageDeduplicationId: str
    DelaySeconds: int


@dataclass(frozen=True)
class RedrivePolicy:
    """The redrive policy of a queue; both fields are None if the queue has no dead-letter queue."""

    dead_letter_queue_url: str | None
    max_receive_count: int | None


class Queues:
    """The worker's queues. Thread-safe; every method raises `Unavailable` or `Misconfigured`.

    `client` is boto3's SQS client, and `long_poll` one with a read timeout longer than a long poll. URLs and redrive
    policies are looked up once and cached.
    """

    def __init__(
        self,
        client: "SQSClient",
        long_poll: "SQSClient",
        request_url: str,
        response_url: str,
        dead_letter_url: str | None = None,
    ):
        self._client, self._long_poll = client, long_poll
        self.request_url, self._response_url, self._dead_letter_url = request_url, response_url, dead_letter_url
        self._urls: dict[str, str] = {}
        self._redrive_policies: dict[str, RedrivePolicy] = {}

    def receive(self, wait: float, visibility: float) -> Message | None:
        """Receive one message of the request queue, or None if there is none for `wait` seconds.

        The message is hidden from other consumers for `visibility` seconds.
        """
        with aws.calling("receive a message"):
            response = self._long_poll.receive_message(
                QueueUrl=self.request_url,
                MaxNumberOfMessages=1,
                WaitTimeSeconds=max(0, min(aws.LONGEST_POLL, int(wait))),
                VisibilityTimeout=_whole_seconds(visibility, LONGEST_VISIBILITY),
                MessageSystemAttributeNames=_SYSTEM_ATTRIBUTES,
                MessageAttributeNames=["All"],
            )
        if not response.get("Messages"):
            return None
        (message,) = response["Messages"]
        attributes = message.get("Attributes", {})
        return Message(
            message_id=message["MessageId"],
            body=message["Body"],
            receipt_handle=message["ReceiptHandle"],
            queue=self.request_url,
            receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
            group=attributes.get("MessageGroupId"),
            sent=float(attributes["SentTimestamp"]) / 1000 if "SentTimestamp" in attributes else None,
            sender_trace_id=tracing_header.parse_trace_id(attributes.get(tracing_header.MESSAGE)),
            attributes=message_attributes.parse(message.get("MessageAttributes")),
        )

    def delete(self, message: Message) -> None:
        """Delete a message from its queue. Idempotent."""
        with aws.calling("delete the message"):
            self._client.delete_message(QueueUrl=self.find_url(message.queue), ReceiptHandle=message.receipt_handle)

    def set_visibility(self, messages: Iterable[Message], seconds: float) -> None:
        """Make messages visible again `seconds` from now. Expired receipts and unqueued messages are ignored.

        One call for ten messages of a queue. Fractions of a second are rounded up, and LONGEST_VISIBILITY is the upper
        limit. Entries that SQS rejects are not reported.
        """
        by_queue: dict[str, list[Message]] = {}
        for message in filter(lambda message: message.is_queued, messages):
            by_queue.setdefault(message.queue, []).append(message)
        for queue, members in by_queue.items():
            for start in range(0, len(members), _BATCH):
                entries: list[VisibilityEntry] = [
                    {
                        "Id": str(number),
                        "ReceiptHandle": message.receipt_handle,
                        "VisibilityTimeout": _whole_seconds(seconds, LONGEST_VISIBILITY),
                    }
                    for number, message in enumerate(members[start : start + _BATCH])
                ]
                with aws.calling("change the visibility"):
                    self._client.change_message_visibility_batch(QueueUrl=self.find_url(queue), Entries=entries)

    def respond(self, responses: Sequence[ScoringResponse]) -> set[str]:
        """Send responses in batches of ten; returns the ids of the jobs whose responses SQS accepted.

        A response that SQS rejects is missing in the set, and stays in the outbox. If a call fails it raises, although
        earlier batches were accepted: their outbox entries remain, and the sweep sends them again.
        """
        sent: set[str] = set()
        for start in range(0, len(responses), _BATCH):
            batch = responses[start : start + _BATCH]
            entries = [self._response_entry(str(number), response) for number, response in enumerate(batch)]
            with aws.calling("send responses"):
                result = self._client.send_message_batch(QueueUrl=self._response_url, Entries=entries)
            sent |= {batch[int(entry["Id"])].scoring_job_id for entry in result.get("Successful", [])}
        return sent

    def send_to_dead_letters(self, message: Message, reason: str) -> None:
        """Send a copy of a message to the dead-letter queue, with the reason as the message attribute `reason`.

        The body and the sender's attributes are unchanged; if they leave no room for the reason, only the log has it.
        The original message stays on its queue.
        """
        url = self._dead_letter_url or self.redrive_policy(message.queue).dead_letter_queue_url
        if not url:
            raise Misconfigured("the queue has no dead-letter queue, so a message that cannot succeed stays in it")
        with aws.calling("send to the dead-letter queue"):
            self._client.send_message(
                QueueUrl=url,
                MessageBody=message.body,
                MessageAttributes=message_attributes.add_reason(message.body, message.attributes, reason),
                **_fifo_parameters(url, message.group or message.message_id, message.message_id),
            )

    def requeue(self, message: Message, delay: float, unique: str) -> None:
        """Send a fresh copy of a message to its own queue, visible after `delay` seconds (at once in a FIFO queue).

        `unique` becomes the deduplication id, which keeps a FIFO queue from dropping the copy.
        """
        url = self.find_url(message.queue)
        extra = _fifo_parameters(url, message.group or message.message_id, unique)
        if not extra:
            extra["DelaySeconds"] = _whole_seconds(delay, _LONGEST_DELAY)
        with aws.calling("send the message again"):
            self._client.send_message(
                QueueUrl=url, MessageBody=message.body, MessageAttributes=message.attributes, **extra
            )

    def redrive_policy(self, queue: str) -> RedrivePolicy:
        """Return the queue's redrive policy; a configured dead-letter queue takes precedence over the policy's.

        Cached for the life of the process: a policy that changes is noticed by the next environment.
        """
        if queue not in self._redrive_policies:
            with aws.calling("read the queue's redrive policy"):
                response = self._client.get_queue_attributes(
                    QueueUrl=self.find_url(queue), AttributeNames=["RedrivePolicy"]
                )
            policy = json.loads(response.get("Attributes", {}).get("RedrivePolicy") or "{}")
            target = policy.get("deadLetterTargetArn")
            count = policy.get("maxReceiveCount")
            url = self._dead_letter_url or (self.find_url(target) if target else None)
            self._redrive_policies[queue] = RedrivePolicy(url, int(count) if count else None)
        return self._redrive_policies[queue]

    def find_url(self, queue: str) -> str:
        """Return the URL of a queue named by ARN; a URL is returned unchanged.

        The request queue's URL is known; any other queue's is asked for once. The queue may belong to another account.
        """
        if not queue.startswith("arn:"):
            return queue
        if queue not in self._urls:
            _, _, _, _, account, name = queue.split(":", 5)
            if self.request_url.rstrip("/").endswith(f"/{account}/{name}"):
                self._urls[queue] = self.request_url
            else:
                with aws.calling("find the queue"):
                    response = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
                self._urls[queue] = response["QueueUrl"]
        return self._urls[queue]

    def _response_entry(self, number: str, response: ScoringResponse) -> "ResponseEntry":
        extra = _fifo_parameters(self._response_url, response.scoring_job_id, response.score_result_id)
        entry: ResponseEntry = {"Id": number, "MessageBody": create_response_body(response.score_result_id)}
        return {**entry, **extra}


def _fifo_parameters(url: str, group: str, unique: str) -> SendParameters:
    """Return the parameters that a FIFO queue requires for each message, and none for a standard queue."""
    if not url.endswith(".fifo"):
        return {}
    return {"MessageGroupId": _identifier(group), "MessageDeduplicationId": _identifier(unique)}


def _identifier(text: str) -> str:
    """Return the text if SQS accepts it as an id (up to 128 printable ASCII characters), else a digest of it."""
    if text and len(text) <= 128 and text.isascii() and text.isprintable() and " " not in text:
        return text
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _whole_seconds(seconds: float, limit: int) -> int:
    """Round seconds up to a whole number between 0 and the limit."""
    return max(0, min(limit, -int(-seconds // 1)))
