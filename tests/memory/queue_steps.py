"""Steps of programs on queues, and the parts of their answers that must be equal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from handler.exceptions import HandlerError
from handler.message import Message, ScoringResponse
from handler.queues import Queues
from tests.memory.twin import Recorded

REQUESTS, RESPONSES, DEAD = "requests", "responses", "dead"
SYSTEM = ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"]
COUNTS = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
_SAME = {
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
"""Error codes that have other names in the failures of a batch on the local AWS."""


@dataclass(frozen=True)
class Receipt:
    """A message as it was received from a side's queue."""

    queue: str
    message_id: str
    body: str
    handle: str
    group: str | None


NEVER = Receipt(REQUESTS, "none", "none", "never-given", None)


class Side:
    """The model or the local AWS: a client, the queues' URLs by name, and the recorded answers."""

    def __init__(self, client: Any, urls: dict[str, str]) -> None:
        self.client, self.urls = Recorded(client, self._view), urls
        self.receipts: list[Receipt] = []
        self._names = {url: name for name, url in urls.items()}
        self._ids: dict[str, int] = {}

    def receipt(self, number: int) -> Receipt:
        """Return one of the receipts, or an invalid one if there is none."""
        return self.receipts[number % len(self.receipts)] if self.receipts else NEVER

    def worker(self) -> Queues:
        """Return the worker's queues with this side's client."""
        client: Any = self.client
        return Queues(client, client, self.urls[REQUESTS], self.urls[RESPONSES])

    def _view(self, request: dict[str, Any], answer: dict[str, Any]) -> object:
        """Return the comparable part of an answer: messages are numbered, times and handles omitted."""
        if "Code" in answer:
            return answer["Code"]
        compared: dict[str, Any] = {}
        if answer.get("Messages"):
            compared["Messages"] = [self._compare_received(request, message) for message in answer["Messages"]]
        if "MessageId" in answer:
            compared["sent"] = self._compare_sent(answer)
        compared["Successful"] = [(entry["Id"], self._compare_sent(entry)) for entry in answer.get("Successful", [])]
        compared["Failed"] = [(each["Id"], _SAME.get(each["Code"], each["Code"])) for each in answer.get("Failed", [])]
        if "QueueUrl" in answer:
            compared["queue"] = self._names.get(answer["QueueUrl"])
        for name, value in answer.get("Attributes", {}).items():
            compared[name] = _policy(value) if name == "RedrivePolicy" else value
        return {name: part for name, part in compared.items() if part}

    def _compare_received(self, request: dict[str, Any], message: dict[str, Any]) -> object:
        attributes = dict(message.get("Attributes", {}))
        group = attributes.get("MessageGroupId")
        queue = self._names[request["QueueUrl"]]
        self.receipts.append(Receipt(queue, message["MessageId"], message["Body"], message["ReceiptHandle"], group))
        if "SentTimestamp" in attributes:
            attributes["SentTimestamp"] = "then"
        number = self._number(message["MessageId"])
        return number, message["MD5OfBody"], attributes, message.get("MessageAttributes") or None

    def _compare_sent(self, answer: dict[str, Any]) -> object:
        return (self._number(answer["MessageId"]), answer["MD5OfMessageBody"]) if "MessageId" in answer else None

    def _number(self, message_id: str) -> int:
        return self._ids.setdefault(message_id, len(self._ids))


def _policy(text: str) -> tuple[str, int]:
    policy = json.loads(text)
    return policy["deadLetterTargetArn"].rpartition("-")[2], int(policy["maxReceiveCount"])


class Step(Protocol):
    """A step of a program."""

    def run(self, side: Side) -> None:
        """Run the step; the side's client records the answers."""
        ...


@dataclass(frozen=True)
class Call:
    """A call of boto3's client on a queue."""

    operation: str
    queue: str
    request: dict[str, Any] = field(default_factory=dict)

    def run(self, side: Side) -> None:
        """Run the step."""
        _call(side, self.operation, self.queue, self.request)


def receive(queue: str, most: int = 10, visibility: int | None = None, **more: Any) -> Call:
    """Return a receive of up to `most` messages with the attributes that the worker requests."""
    if visibility is not None:
        more["VisibilityTimeout"] = visibility
    request = {"MaxNumberOfMessages": most, "MessageSystemAttributeNames": SYSTEM, **more}
    return Call("receive_message", queue, request)


@dataclass(frozen=True)
class Delete:
    """Delete with one receipt, or with several in a batch; they may be old, or from several queues."""

    numbers: tuple[int, ...]
    batch: bool = False

    def run(self, side: Side) -> None:
        """Run the step on the queue of the first receipt."""
        receipts = [side.receipt(number) for number in self.numbers]
        if self.batch:
            entries = [{"Id": str(place), "ReceiptHandle": each.handle} for place, each in enumerate(receipts)]
            _call(side, "delete_message_batch", receipts[0].queue, {"Entries": entries})
        else:
            _call(side, "delete_message", receipts[0].queue, {"ReceiptHandle": receipts[0].handle})


@dataclass(frozen=True)
class Visibility:
    """The worker changes the visibility of messages."""

    numbers: tuple[int, ...]
    seconds: int

    def run(self, side: Side) -> None:
        """Run the step on all queues."""
        side.worker().set_visibility(
            (_message(side, side.receipt(number)) for number in self.numbers), float(self.seconds)
        )


@dataclass(frozen=True)
class Worker:
    """A method of the worker's queues, called with the message of a receipt."""

    method: str
    number: int
    arguments: tuple[Any, ...]

    def run(self, side: Side) -> None:
        """Run the step, unless there is no receipt yet."""
        if not side.receipts:
            return
        try:
            getattr(side.worker(), self.method)(_message(side, side.receipt(self.number)), *self.arguments)
        except HandlerError as error:
            side.client.answers.append((self.method, type(error).__name__))


@dataclass(frozen=True)
class Respond:
    """The worker sends responses for jobs."""

    jobs: Sequence[str]

    def run(self, side: Side) -> None:
        """Run the step."""
        sent = side.worker().respond([ScoringResponse(job, f"result-of-{job}") for job in self.jobs])
        side.client.answers.append(("respond", sent))


def _message(side: Side, receipt: Receipt) -> Message:
    url = side.urls[receipt.queue]
    return Message(receipt.message_id, receipt.body, receipt.handle, url, group=receipt.group)


def _call(side: Side, operation: str, queue: str, request: dict[str, Any]) -> None:
    try:
        getattr(side.client, operation)(QueueUrl=side.urls[queue], **request)
    except ClientError:
        return  # recorded
