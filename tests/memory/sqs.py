"""SQS queues in memory, with visibility, receive counts, redrive and FIFO groups; tests control the time."""

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.memory.wire import Refused

ACCOUNT = "000000000000"
MAXIMUM_MESSAGE_BYTES = 1_048_576  # of a message, and of a batch; botocore's model of SQS states both
MAXIMUM_ATTRIBUTES = 10
UNIQUE_S = 300.0  # how long a FIFO queue knows a deduplication id
_CONTENT = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_ERRORS = "AWS.SimpleQueueService."


@dataclass
class Message:
    """A message in its queue; `before` are its receives from the queue whose dead letter it is."""

    id: str
    body: str
    attributes: dict[str, Any]
    group: str | None
    sent: float
    visible: float
    trace: str | None = None
    receives: int = 0
    before: int = 0
    handles: list[str] = field(default_factory=list)


@dataclass
class Queue:
    """A queue; `dead_letters` names another.

    `first` are groups whose turn it is, of those that have messages: SQS promises no order among groups.
    """

    name: str
    visibility: float = 30.0
    dead_letters: str | None = None
    max_receive_count: int = 3
    messages: list[Message] = field(default_factory=list)
    unique: dict[str, tuple[str, float]] = field(default_factory=dict)
    first: Sequence[str] = ()

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.name.endswith(".fifo")

    @property
    def url(self) -> str:
        """The queue's URL."""
        return f"https://sqs.us-west-2.amazonaws.com/{ACCOUNT}/{self.name}"

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return f"arn:aws:sqs:us-west-2:{ACCOUNT}:{self.name}"

    def holding(self, handle: str) -> Message | None:
        """Return the message that was received with that handle, if it is still in the queue."""
        if not handle.startswith(self.name + ":"):
            raise Refused("ReceiptHandleIsInvalid")
        return next((message for message in self.messages if handle in message.handles), None)

    def in_turn(self, now: float) -> list[Message]:
        """Return the visible messages in order; a group waits for its messages in flight."""
        visible = [message for message in self.messages if message.visible <= now]
        if not self.fifo:
            return visible
        busy = {message.group for message in self.messages if message.visible > now}
        groups = list(dict.fromkeys([*self.first, *(message.group for message in self.messages)]))
        return sorted((each for each in visible if each.group not in busy), key=lambda each: groups.index(each.group))


class MemorySQS:
    """Queues by name; `now` is the clock for visibility and delays."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.queues: dict[str, Queue] = {}
        self.refused: set[int] = set()  # places in the next batch that is sent, whose messages are refused
        self._numbers = itertools.count(1)

    def create(self, name: str, **settings: Any) -> Queue:
        """Create a queue."""
        self.queues[name] = Queue(name, **settings)
        return self.queues[name]

    def bodies(self, name: str) -> list[str]:
        """Return the bodies of all messages in a queue, visible or not."""
        return [message.body for message in self.queues[name].messages]

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Perform the operation with AWS's name."""
        if operation == "GetQueueUrl":
            if request["QueueName"] not in self.queues:
                raise Refused(_ERRORS + "NonExistentQueue")
            return {"QueueUrl": self.queues[request["QueueName"]].url}
        queue = self.queues.get(request["QueueUrl"].rpartition("/")[2])
        if queue is None:
            raise Refused(_ERRORS + "NonExistentQueue")
        operations: dict[str, Callable[[Queue, dict[str, Any]], dict[str, Any]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ChangeMessageVisibilityBatch": self._change_visibility,
            "GetQueueAttributes": self._attributes,
        }
        return operations[operation](queue, request)

    def receive(self, queue: Queue, most: int, visibility: float | None = None) -> list[Message]:
        """Receive up to `most` visible messages; those received too often are dead-lettered instead."""
        received: list[Message] = []
        now = self.now()
        for message in queue.in_turn(now):
            if len(received) == most:
                break
            if queue.dead_letters and message.receives - message.before >= queue.max_receive_count:
                queue.messages.remove(message)
                message.before, message.visible, message.handles = message.receives, now, []
                self.queues[queue.dead_letters].messages.append(message)
                continue
            message.receives += 1
            message.handles.append(f"{queue.name}:handle-{next(self._numbers)}")
            message.visible = now + (queue.visibility if visibility is None else visibility)
            received.append(message)
        return received

    def _send(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        _refuse_unfit(queue, request)
        body, now = request["MessageBody"], self.now()
        unique = request.get("MessageDeduplicationId", "")
        number, known_since = queue.unique.get(unique, ("", -UNIQUE_S))
        if now - known_since >= UNIQUE_S:
            number = f"message-{next(self._numbers)}"
            if unique:
                queue.unique[unique] = (number, now)
            visible = now + request.get("DelaySeconds", 0)
            attributes, group = request.get("MessageAttributes", {}), request.get("MessageGroupId")
            trace = request.get("MessageSystemAttributes", {}).get("AWSTraceHeader", {}).get("StringValue")
            queue.messages.append(Message(number, body, attributes, group, now, visible, trace))
        return {"MessageId": number, "MD5OfMessageBody": _md5(body)}

    def _send_batch(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        if sum(map(_size, request["Entries"])) > MAXIMUM_MESSAGE_BYTES:
            raise Refused(_ERRORS + "BatchRequestTooLong")
        refused, self.refused = self.refused, set()
        places = {entry["Id"]: place for place, entry in enumerate(request["Entries"])}

        def send(entry: dict[str, Any]) -> dict[str, Any]:
            if places[entry["Id"]] in refused:
                raise Refused("InternalError")
            return self._send(queue, entry)

        return _each(request, send)

    def _receive(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        most = request.get("MaxNumberOfMessages", 1)
        if not 1 <= most <= 10:
            raise Refused("InvalidParameterValue")
        received = self.receive(queue, most, request.get("VisibilityTimeout"))
        return {"Messages": [_render_message(message, request) for message in received]} if received else {}

    def _delete(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        message = queue.holding(request["ReceiptHandle"])
        if message is not None:
            if queue.fifo and message.visible <= self.now():
                raise Refused("InvalidParameterValue")  # the receipt handle has expired
            queue.messages.remove(message)
        return {}

    def _delete_batch(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        return _each(request, lambda entry: self._delete(queue, entry))

    def _change_visibility(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        def change(entry: dict[str, Any]) -> dict[str, Any]:
            message = queue.holding(entry["ReceiptHandle"])
            if message is None:
                raise Refused("InvalidParameterValue")
            if message.visible <= self.now():
                raise Refused("MessageNotInflight")
            message.visible = self.now() + entry["VisibilityTimeout"]
            return {}

        return _each(request, change)

    def _attributes(self, queue: Queue, request: dict[str, Any]) -> dict[str, Any]:
        hidden = [message for message in queue.messages if message.visible > self.now()]
        delayed = sum(message.receives == message.before for message in hidden)
        known = {
            "ApproximateNumberOfMessages": str(len(queue.messages) - len(hidden)),
            "ApproximateNumberOfMessagesNotVisible": str(len(hidden) - delayed),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
        }
        if queue.dead_letters:
            target = self.queues[queue.dead_letters].arn
            known["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": target, "maxReceiveCount": queue.max_receive_count}
            )
        asked = {name: known[name] for name in request["AttributeNames"] if name in known}
        return {"Attributes": asked} if asked else {}


def _each(request: dict[str, Any], act: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a batch, in which each entry succeeds or fails independently."""
    entries = request["Entries"]
    if not entries:
        raise Refused(_ERRORS + "EmptyBatchRequest")
    if len(entries) > 10:
        raise Refused(_ERRORS + "TooManyEntriesInBatchRequest")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise Refused(_ERRORS + "BatchEntryIdsNotDistinct")
    answer: dict[str, Any] = {"Successful": [], "Failed": []}
    for entry in entries:
        try:
            answer["Successful"].append({"Id": entry["Id"], **act(entry)})
        except Refused as refusal:
            answer["Failed"].append({"Id": entry["Id"], "Code": refusal.code, "SenderFault": True})
    return answer


def _refuse_unfit(queue: Queue, request: dict[str, Any]) -> None:
    """Refuse a message that is invalid for this queue."""
    body, unique = request["MessageBody"], request.get("MessageDeduplicationId")
    if not body or (queue.fifo and not request.get("MessageGroupId")):
        raise Refused("MissingParameter")
    if _size(request) > MAXIMUM_MESSAGE_BYTES or len(request.get("MessageAttributes", {})) > MAXIMUM_ATTRIBUTES:
        raise Refused("InvalidParameterValue")
    if not _CONTENT.fullmatch(body):
        raise Refused("InvalidMessageContents")
    if queue.fifo != bool(unique) or (queue.fifo and request.get("DelaySeconds")):
        raise Refused("InvalidParameterValue")


def _size(request: dict[str, Any]) -> int:
    """Return the size of a message in bytes: body, and name, type and value of each attribute."""
    attributes = request.get("MessageAttributes", {})
    return len(request["MessageBody"].encode()) + sum(
        len(name.encode()) + sum(len(_content(kind, part)) for kind, part in attribute.items())
        for name, attribute in attributes.items()
    )


def _content(member: str, value: str) -> bytes:
    """Return a member of an attribute as it is counted; binary values are Base64 on the wire."""
    return base64.b64decode(value) if member == "BinaryValue" else value.encode()


def _render_message(message: Message, request: dict[str, Any]) -> dict[str, Any]:
    """Return a received message as SQS does, with the requested attributes."""
    asked = request.get("MessageSystemAttributeNames", [])
    system = {name: value for name, value in system_attributes(message).items() if name in asked}
    own = message.attributes if request.get("MessageAttributeNames") == ["All"] else {}
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handles[-1],
        "Body": message.body,
        "MD5OfBody": _md5(message.body),
        **({"Attributes": system} if system else {}),
        **({"MessageAttributes": own} if own else {}),
    }


def system_attributes(message: Message) -> dict[str, str]:
    """Return the system attributes of a message."""
    attributes = {"ApproximateReceiveCount": str(message.receives), "SentTimestamp": str(int(message.sent * 1000))}
    attributes |= {"MessageGroupId": message.group} if message.group is not None else {}
    return attributes | ({"AWSTraceHeader": message.trace} if message.trace is not None else {})


def event(queue: Queue, messages: list[Message]) -> dict[str, Any]:
    """Return the event of an SQS event source for received messages."""
    return {
        "Records": [
            {
                "messageId": message.id,
                "receiptHandle": message.handles[-1],
                "body": message.body,
                "attributes": system_attributes(message),
                "messageAttributes": {name: _in_event(each) for name, each in message.attributes.items()},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue.arn,
                "awsRegion": "us-west-2",
            }
            for message in messages
        ]
    }


def _in_event(attribute: dict[str, str]) -> dict[str, Any]:
    """Return a message attribute as an event source writes it."""
    members = {name[0].lower() + name[1:]: value for name, value in attribute.items()}
    return {"stringListValues": [], "binaryListValues": [], **members}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
