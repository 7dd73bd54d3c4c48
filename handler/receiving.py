"""The two ways in that carry one job: a fan-out names the message, the manual poll receives it."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handler.batch import Outcome
from handler.clock import Deadline
from handler.exceptions import HandlerError, InvalidEvent
from handler.queues import Delivery, Queues
from handler.settings import Settings
from handler.steps import Observer, Step
from handler.worker import Worker

Answer = dict[str, Any]
_FANOUT_FIELDS = ("message_body", "receipt_handle", "queue_url")


@dataclass(frozen=True)
class Receiving:
    """Works one message off and deletes it, since no event source does."""

    worker: Worker
    queues: Queues
    settings: Settings
    observe: Observer
    tell: Callable[[Sequence[Outcome]], None]

    def poll(self, deadline: Deadline) -> Answer:
        """One message of the request queue; an empty queue is 200 with `processed: false`."""
        wait = deadline.scoring_ends - deadline.clock.monotonic() - 1
        if wait < 0:
            return answer(500, message="not processed", error="too little time is left to take a job", processed=False)
        delivery = self.queues.receive(min(wait, self.settings.poll), self.settings.lease + self.settings.clock_skew)
        if delivery is None:
            return answer(200, message="no messages in the queue", processed=False)
        return self._work(delivery, deadline, statuses=False)

    def fan_out(self, event: Mapping[str, Any], deadline: Deadline) -> Answer:
        """The message that the event names; 400, 404 and 500 say why it has no result."""
        try:
            delivery = fanned_out(event)
        except InvalidEvent as error:
            return answer(400, message="not processed", error=str(error), processed=False)
        return self._work(delivery, deadline, statuses=True)

    def _work(self, delivery: Delivery, deadline: Deadline, statuses: bool) -> Answer:
        (outcome,) = self.worker.work([delivery], deadline)
        self.tell([outcome])
        if outcome.ending.message_goes:
            try:
                self.queues.delete(delivery)
                self.observe(Step.DELETE, delivery.message_id)
            except HandlerError as error:
                # The job has its outcome: the message comes back once more, and is consumed without work.
                self.worker.log.warning("message not deleted", message_id=delivery.message_id, error=str(error))
        return _answer_to(outcome, statuses)


def fanned_out(event: Mapping[str, Any]) -> Delivery:
    """The delivery of a fan-out; raises `InvalidEvent` naming every field that is missing or wrong."""
    wrong = [name for name in _FANOUT_FIELDS if not isinstance(event.get(name), str) or not event[name]]
    if wrong:
        raise InvalidEvent(f"fan-out event: {', '.join(wrong)} missing or not a string")
    if not event["queue_url"].startswith(("https://", "http://")):
        raise InvalidEvent("fan-out event: queue_url is not a URL")
    count = event.get("receive_count")
    return Delivery(
        message_id=str(event.get("message_id") or _name(event["message_body"])),
        body=event["message_body"],
        receipt_handle=event["receipt_handle"],
        queue=event["queue_url"],
        receive_count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        received_by_us=True,
    )


def _name(body: str) -> str:
    """A message's id where the event tells none: a FIFO queue takes two dead letters of one id for the same."""
    return f"fanout-{hashlib.sha256(body.encode(errors='replace')).hexdigest()[:32]}"


def answer(status: int, **body: object) -> Answer:
    """What a direct invocation gets."""
    return {"statusCode": status, "body": json.dumps(body)}


def _answer_to(outcome: Outcome, statuses: bool) -> Answer:
    if outcome.cause is None:
        return answer(200, message=outcome.detail, scoring_job_id=outcome.scoring_job_id, processed=True)
    status = outcome.status if statuses else 500
    return answer(status, message=outcome.cause, error=outcome.error, processed=False)
