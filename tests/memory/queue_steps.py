"""Programs on queues: their steps, and what has to be equal of what came of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from handler.exceptions import HandlerError
from handler.queues import Delivery, Queues, Response
from tests.memory.twin import Recorded

REQUESTS, RESPONSES, DEAD = "requests", "responses", "dead"
SYSTEM = ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"]
COUNTS = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
_SAME = {
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
"""Codes that the local AWS gives other names in the failures of a batch."""


@dataclass(frozen=True)
class Receipt:
    """What a side told of a message when it was received from a queue."""

    queue: str
    message_id: str
    body: str
    handle: str
    group: str | None


NEVER = Receipt(REQUESTS, "none", "none", "never-given", None)


class Side:
    """The model or the local AWS: a client, its queues' URLs by their names in programs, and what it told."""

    def __init__(self, client: Any, urls: dict[str, str]) -> None:
        self.client, self.urls = Recorded(client, self._view), urls
        self.receipts: list[Receipt] = []
        self._names = {url: name for name, url in urls.items()}
        self._ids: dict[str, int] = {}

    def receipt(self, number: int) -> Receipt:
        """One of the receipts; one that was never given while there is none."""
        return self.receipts[number % len(self.receipts)] if self.receipts else NEVER

    def worker(self) -> Queues:
        """The worker's own calls."""
        return Queues(self.client, self.client, self.urls[REQUESTS], self.urls[RESPONSES])

    def _view(self, request: dict[str, Any], answer: dict[str, Any]) -> object:
        """An answer with messages numbered as they come, without times and handles."""
        if "Code" in answer:
            return answer["Code"]
        told: dict[str, Any] = {}
        if answer.get("Messages"):
            told["Messages"] = [self._received(request, message) for message in answer["Messages"]]
        if "MessageId" in answer:
            told["sent"] = self._sent(answer)
        told["Successful"] = [(entry["Id"], self._sent(entry)) for entry in answer.get("Successful", [])]
        told["Failed"] = [(each["Id"], _SAME.get(each["Code"], each["Code"])) for each in answer.get("Failed", [])]
        if "QueueUrl" in answer:
            told["queue"] = self._names.get(answer["QueueUrl"])
        for name, value in answer.get("Attributes", {}).items():
            told[name] = _policy(value) if name == "RedrivePolicy" else value
        return {name: part for name, part in told.items() if part}

    def _received(self, request: dict[str, Any], message: dict[str, Any]) -> object:
        attributes = dict(message.get("Attributes", {}))
        group = attributes.get("MessageGroupId")
        queue = self._names[request["QueueUrl"]]
        self.receipts.append(Receipt(queue, message["MessageId"], message["Body"], message["ReceiptHandle"], group))
        if "SentTimestamp" in attributes:
            attributes["SentTimestamp"] = "then"
        number = self._number(message["MessageId"])
        return number, message["MD5OfBody"], attributes, message.get("MessageAttributes") or None

    def _sent(self, answer: dict[str, Any]) -> object:
        return (self._number(answer["MessageId"]), answer["MD5OfMessageBody"]) if "MessageId" in answer else None

    def _number(self, message_id: str) -> int:
        return self._ids.setdefault(message_id, len(self._ids))


def _policy(text: str) -> tuple[str, int]:
    policy = json.loads(text)
    return policy["deadLetterTargetArn"].rpartition("-")[2], int(policy["maxReceiveCount"])


class Step(Protocol):
    """One thing that a program does."""

    def run(self, side: Side) -> None:
        """Do it; the side's client records the answers."""
        ...


@dataclass(frozen=True)
class Call:
    """A call of boto3's client on a queue."""

    operation: str
    queue: str
    request: dict[str, Any] = field(default_factory=dict)

    def run(self, side: Side) -> None:
        """Do it."""
        _call(side, self.operation, self.queue, self.request)


def receive(queue: str, most: int = 10, visibility: int | None = None, **more: Any) -> Call:
    """A receipt of up to so many messages, told with the attributes that the worker asks for."""
    if visibility is not None:
        more["VisibilityTimeout"] = visibility
    request = {"MaxNumberOfMessages": most, "MessageSystemAttributeNames": SYSTEM, **more}
    return Call("receive_message", queue, request)


@dataclass(frozen=True)
class Delete:
    """Delete by one receipt, or by several in a batch; they may be old, or of messages in several queues."""

    numbers: tuple[int, ...]
    batch: bool = False

    def run(self, side: Side) -> None:
        """Do it, on the queue of the first."""
        receipts = [side.receipt(number) for number in self.numbers]
        if self.batch:
            entries = [{"Id": str(place), "ReceiptHandle": each.handle} for place, each in enumerate(receipts)]
            _call(side, "delete_message_batch", receipts[0].queue, {"Entries": entries})
        else:
            _call(side, "delete_message", receipts[0].queue, {"ReceiptHandle": receipts[0].handle})


@dataclass(frozen=True)
class Visibility:
    """The worker says when messages may be received again."""

    numbers: tuple[int, ...]
    seconds: int

    def run(self, side: Side) -> None:
        """Do it, for all queues."""
        side.worker().set_visibility(
            (_delivery(side, side.receipt(number)) for number in self.numbers), float(self.seconds)
        )


@dataclass(frozen=True)
class Worker:
    """A method of the worker's queues on the message of a receipt."""

    method: str
    number: int
    arguments: tuple[Any, ...]

    def run(self, side: Side) -> None:
        """Do it, unless there is no receipt yet."""
        if not side.receipts:
            return
        try:
            getattr(side.worker(), self.method)(_delivery(side, side.receipt(self.number)), *self.arguments)
        except HandlerError as error:
            side.client.answers.append((self.method, type(error).__name__))


@dataclass(frozen=True)
class Respond:
    """The worker's responses for jobs."""

    jobs: Sequence[str]

    def run(self, side: Side) -> None:
        """Do it."""
        sent = side.worker().respond([Response(job, f"result-of-{job}") for job in self.jobs])
        side.client.answers.append(("respond", sent))


def _delivery(side: Side, receipt: Receipt) -> Delivery:
    url = side.urls[receipt.queue]
    return Delivery(receipt.message_id, receipt.body, receipt.handle, url, group=receipt.group)


def _call(side: Side, operation: str, queue: str, request: dict[str, Any]) -> None:
    try:
        getattr(side.client, operation)(QueueUrl=side.urls[queue], **request)
    except ClientError:
        return  # recorded
