"""SQS's queues in memory: visibility, receive counts, redrive, FIFO groups; time is the test's."""

import hashlib
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.memory.wire import Refused

ACCOUNT = "000000000000"
_BODY = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""The characters that SQS takes."""


@dataclass
class Message:
    """A message as its queue keeps it."""

    id: str
    body: str
    attributes: dict[str, Any]
    group: str | None
    sent: float
    visible: float
    receives: int = 0
    handles: list[str] = field(default_factory=list)


@dataclass
class Queue:
    """A queue; `dead_letters` names another."""

    name: str
    visibility: float = 30.0
    dead_letters: str | None = None
    max_receive_count: int = 3
    messages: list[Message] = field(default_factory=list)
    unique: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """As clients name it."""
        return f"https://sqs.us-west-2.amazonaws.com/{ACCOUNT}/{self.name}"

    @property
    def arn(self) -> str:
        """As events name it."""
        return f"arn:aws:sqs:us-west-2:{ACCOUNT}:{self.name}"


class MemorySQS:
    """Queues by name; `now` is the clock of visibility and delays."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.queues: dict[str, Queue] = {}
        self._numbers = itertools.count(1)

    def create(self, name: str, **settings: Any) -> Queue:
        """A new queue."""
        self.queues[name] = Queue(name, **settings)
        return self.queues[name]

    def bodies(self, name: str) -> list[str]:
        """The bodies that a queue holds, visible or not."""
        return [message.body for message in self.queues[name].messages]

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One operation, by AWS's name."""
        if operation == "GetQueueUrl":
            if request["QueueName"] not in self.queues:
                raise Refused("AWS.SimpleQueueService.NonExistentQueue")
            return {"QueueUrl": self.queues[request["QueueName"]].url}
        queue = self.queues.get(request["QueueUrl"].rpartition("/")[2])
        if queue is None:
            raise Refused("AWS.SimpleQueueService.NonExistentQueue")
        operations: dict[str, Callable[[Queue, dict[str, Any]], dict[str, Any]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "ChangeMessageVisibilityBatch": self._change_visibility,
            "GetQueueAttributes": self._attributes,
        }
        return operations[operation](queue, request)

    def receive(self, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        """Up to `most` visible messages; those received too often move to the dead-letter queue instead."""
        received: list[Message] = []
        now = self.now()
        busy = {message.group for message in queue.messages if message.group is not None and message.visible > now}
        for message in list(queue.messages):
            if len(received) == most or message.visible > now or message.group in busy:
                continue
            if queue.dead_letters and message.receives >= queue.max_receive_count:
                queue.messages.remove(message)
                message.receives, message.visible = 0, now
                self.queues[queue.dead_letters].messages.append(message)
                continue
            message.receives += 1
            message.handles.append(f"handle-{next(self._numbers)}")
            message.visible = now + (queue.visibility if visibility is None else visibility)
            received.append(message)
        return received

    def _send(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        if not _BODY.fullmatch(request["MessageBody"]):
            raise Refused("InvalidMessageContents")
        attributes = request.get("MessageAttributes", {})
        size = len(request["MessageBody"].encode()) + len(json.dumps(attributes)) * bool(attributes)
        if size > 262_144 + 64:
            raise Refused("InvalidParameterValue")
        number = f"message-{next(self._numbers)}"
        unique = request.get("MessageDeduplicationId")
        if unique is None or unique not in queue.unique:
            queue.unique |= {unique} if unique else set()
            now = self.now()
            group = request.get("MessageGroupId")
            visible = now + request.get("DelaySeconds", 0)
            queue.messages.append(Message(number, request["MessageBody"], attributes, group, now, visible))
        return {"MessageId": number, "MD5OfMessageBody": _md5(request["MessageBody"])}

    def _send_batch(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        if not 1 <= len(request["Entries"]) <= 10:
            raise Refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        answers = [{"Id": entry["Id"], **self._send(queue, entry)} for entry in request["Entries"]]
        return {"Successful": answers, "Failed": []}

    def _receive(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        received = self.receive(queue, request.get("MaxNumberOfMessages", 1), request.get("VisibilityTimeout"))
        return {
            "Messages": [
                {
                    "MessageId": message.id,
                    "ReceiptHandle": message.handles[-1],
                    "Body": message.body,
                    "MD5OfBody": _md5(message.body),
                    "Attributes": system_attributes(message),
                }
                for message in received
            ]
        }

    def _delete(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        queue.messages = [each for each in queue.messages if request["ReceiptHandle"] not in each.handles]
        return {}

    def _change_visibility(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in request["Entries"]:
            message = next((each for each in queue.messages if entry["ReceiptHandle"] in each.handles), None)
            if message is None or message.visible <= self.now():
                failure = {"Id": entry["Id"], "Code": "MessageNotInflight", "SenderFault": True}
                answers["Failed"].append(failure)
            else:
                message.visible = self.now() + entry["VisibilityTimeout"]
                answers["Successful"].append({"Id": entry["Id"]})
        return answers

    def _attributes(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        if not queue.dead_letters:
            return {"Attributes": {}}
        target = self.queues[queue.dead_letters].arn
        policy = {"deadLetterTargetArn": target, "maxReceiveCount": queue.max_receive_count}
        return {"Attributes": {"RedrivePolicy": json.dumps(policy)}}


def system_attributes(message: Message) -> dict[str, str]:
    """What SQS tells of a message beside its body."""
    told = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": str(int(message.sent * 1000))}
    return told if message.group is None else {**told, "MessageGroupId": message.group}


def event(queue: Queue, messages: list[Message]) -> dict[str, Any]:
    """The event that an event source makes of received messages."""
    return {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.handles[-1],
                "body": message.body,
                "attributes": system_attributes(message),
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue.arn,
                "awsRegion": "us-west-2",
            }
            for message in messages
        ]
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
