"""The same queues in the model and on the local AWS, on which the same steps run."""

import itertools
import json
import re
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.memory.queue_steps import COUNTS, DEAD, REQUESTS, RESPONSES, Call, Delete, Side, Step, Visibility, receive
from tests.memory.sqs import MAXIMUM_MESSAGE_BYTES, MemorySQS, Message, Queue
from tests.memory.wire import Wire

LINE = 41  # of the wire: no other test uses it at the same time
VISIBILITY_S = 600
_numbers = itertools.count(1)
_IN_GROUP = re.compile("<MessageId>(.*?)</MessageId>.*?<Name>MessageGroupId</Name><Value>(.*?)</Value>", re.DOTALL)

END: tuple[Step, ...] = (
    *(
        Call("get_queue_attributes", queue, {"AttributeNames": [*COUNTS, "RedrivePolicy"]})
        for queue in (REQUESTS, DEAD)
    ),
    *(receive(queue, MessageAttributeNames=["All"]) for queue in (REQUESTS, REQUESTS, RESPONSES, DEAD)),
)
"""The numbers of messages, and then the visible messages."""


class QueuesTwin:
    """Three queues, `requests` with `dead` as its dead-letter queue; time does not advance."""

    def __init__(self, local: Any, suffix: str = "", max_receive_count: int = 1000) -> None:
        self._local, self._count = local, max_receive_count
        prefix = f"model-{next(_numbers)}-"
        self._full = {name: f"{prefix}{name}{suffix}" for name in (REQUESTS, RESPONSES, DEAD)}
        self._moved: set[str] = set()

    def __enter__(self) -> "QueuesTwin":
        self.sqs = MemorySQS(lambda: 1000.0)
        dead = self.sqs.create(self._full[DEAD], visibility=VISIBILITY_S)
        self.sqs.create(self._full[RESPONSES], visibility=VISIBILITY_S)
        redrive = {"dead_letters": dead.name, "max_receive_count": self._count}
        self.sqs.create(self._full[REQUESTS], visibility=VISIBILITY_S, **redrive)
        urls = {name: self.sqs.queues[full].url for name, full in self._full.items()}
        self.model = Side(Wire(LINE).client("sqs", self.sqs), urls)
        self.real = Side(self._local, {name: self._create(name) for name in (DEAD, RESPONSES, REQUESTS)})
        return self

    def __exit__(self, *_: object) -> None:
        for url in self.real.urls.values():
            self._local.delete_queue(QueueUrl=url)

    def run(self, step: Step) -> tuple[list[Any], list[Any]]:
        """Run a step on both sides, and return both answers.

        Among a FIFO queue's groups the model takes those first that the local AWS took first: AWS leaves it open.
        Before these come groups of which there only are new dead letters; of each, it looked at all messages.
        """
        before, dead = len(self.real.receipts), self._dead_letters(step)
        step.run(self.real)
        received = dict.fromkeys(each.group for each in self.real.receipts[before:] if each.group)
        buried = dict.fromkeys(group for id, group in self._dead_letters(step).items() if id not in dead)
        for queue in self.sqs.queues.values():
            queue.first = (*(group for group in buried if group not in received), *received)
        step.run(self.model)
        self._moved |= {message.id for message in self._queue(DEAD).messages}
        return self.model.client.take(), self.real.client.take()

    def apart_from_differences(self, step: Step) -> Step | None:
        """Return the step without what is known to differ (`differences.QUEUES`), and without what AWS leaves open.

        Open is what a message's old receipts do after it became a dead letter.
        """
        if isinstance(step, Delete):
            numbers = tuple(number for number in step.numbers if not self._dead(number))
            return replace(step, numbers=numbers) if numbers else None
        if not isinstance(step, Visibility):
            return step
        flying = {self._message_id(number): number for number in step.numbers if not self._visible(number)}
        if step.seconds == 0:
            flying |= self._companions(list(flying.values()))
        return replace(step, numbers=tuple(sorted(flying.values()))) if flying else None

    def _dead_letters(self, step: Step) -> dict[str, str]:
        """Return message id → group of the local AWS's dead letters, from a page that does not receive them."""
        if not (isinstance(step, Call) and step.operation == "receive_message" and step.queue == REQUESTS):
            return {}  # no other step makes dead letters of what is received too often
        url = urlsplit(self.real.urls[DEAD])
        local = HTTPConnection(url.netloc, timeout=60)
        local.request("GET", url.path.replace("/queue/", "/_aws/sqs/messages/", 1) + "?ShowInvisible=true")
        result = _IN_GROUP.findall(local.getresponse().read().decode())
        local.close()
        return dict(result)

    def _queue(self, name: str) -> Queue:
        return self.sqs.queues[self._full[name]]

    def _create(self, name: str) -> str:
        attributes = {"VisibilityTimeout": str(VISIBILITY_S), "MaximumMessageSize": str(MAXIMUM_MESSAGE_BYTES)}
        if self._full[name].endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        if name == REQUESTS:
            policy = {"deadLetterTargetArn": self._queue(DEAD).arn, "maxReceiveCount": self._count}
            attributes["RedrivePolicy"] = json.dumps(policy)
        return str(self._local.create_queue(QueueName=self._full[name], Attributes=attributes)["QueueUrl"])

    def _message_id(self, number: int) -> str:
        return self.model.receipt(number).message_id

    def _find_held(self, number: int) -> Message | None:
        """Return the model's message of a receipt, if it is still in its queue."""
        receipt = self.model.receipt(number)
        messages = self._queue(receipt.queue).messages
        return next((message for message in messages if receipt.handle in message.handles), None)

    def _dead(self, number: int) -> bool:
        """Return whether the message of a receipt became a dead letter after the receipt."""
        return self._find_held(number) is None and self._message_id(number) in self._moved

    def _visible(self, number: int) -> bool:
        """Return whether the message of a receipt is visible again, in its queue or as a dead letter."""
        message = self._find_held(number)
        return self._dead(number) if message is None else message.visible <= self.sqs.now()

    def _companions(self, numbers: list[int]) -> dict[str, int]:
        """Return the receipts of all messages in flight of the same groups."""
        groups = {(self.model.receipt(each).queue, self.model.receipt(each).group) for each in numbers}
        return {
            receipt.message_id: number
            for number, receipt in enumerate(self.model.receipts)
            if receipt.group and (receipt.queue, receipt.group) in groups
            if self._find_held(number) is not None and not self._visible(number)
        }
