"""Direct invocations, which process one message: a fan-out names it in the event, the manual poll receives it.

An event that is only the body of a message runs its job without any message.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handler import message_attributes
from handler.crash_points import Observer, Step
from handler.exceptions import HandlerError, InvalidEvent
from handler.invocation import Invocation
from handler.message import Message
from handler.outcome import MessageOutcome
from handler.queues import Queues
from handler.settings import Settings
from handler.worker import Worker

LambdaResponse = dict[str, Any]
_FAN_OUT_FIELDS = ("message_body", "receipt_handle", "queue_url")


@dataclass(frozen=True)
class DirectInvocation:
    """Processes one message and deletes it, since no event source does.

    Each method returns the response and the outcomes: one, or none if no message was processed.
    """

    worker: Worker
    queues: Queues
    settings: Settings
    observe: Observer

    def poll(self, invocation: Invocation) -> tuple[LambdaResponse, list[MessageOutcome]]:
        """Process one message of the request queue; an empty queue is a 200 with `processed: false`.

        The message stays hidden for a lease and the clocks' skew, so that no other worker receives it while this one
        scores. Every failure is answered with 500, whatever its policy's status; so is a deadline that leaves no time
        to receive.
        """
        wait = invocation.deadline.scoring_ends - invocation.deadline.clock.monotonic() - 1
        if wait < 0:
            error = "not enough time left to receive a job"
            return create_response(500, message="not processed", error=error, processed=False), []
        hidden = self.settings.lease + self.settings.clock_skew
        message = self.queues.receive(min(wait, self.settings.poll), hidden)
        if message is None:
            return create_response(200, message="no messages in the queue", processed=False), []
        outcome = self._process(message, invocation)
        return _response_to(outcome, 500), [outcome]

    def fan_out(self, event: Mapping[str, Any], invocation: Invocation) -> tuple[LambdaResponse, list[MessageOutcome]]:
        """Process the message that the event names; an error is answered with its policy's status (400, 404, 500)."""
        try:
            message = parse_fan_out(event)
        except InvalidEvent as error:
            return create_response(400, message="not processed", error=str(error), processed=False), []
        outcome = self._process(message, invocation)
        return _response_to(outcome, outcome.status), [outcome]

    def run_job(self, event: Mapping[str, Any], invocation: Invocation) -> tuple[LambdaResponse, list[MessageOutcome]]:
        """Run the job that the event names, answered as a fan-out is.

        There is no message: after an error that would be retried the job is PENDING, and the caller repeats the call.
        """
        body = json.dumps(dict(event))
        message = Message(_derive_id(body), body, receipt_handle="", queue=self.queues.request_url)
        outcome = self._process(message, invocation)
        return _response_to(outcome, outcome.status), [outcome]

    def _process(self, message: Message, invocation: Invocation) -> MessageOutcome:
        (outcome,) = self.worker.process([message], invocation)
        if outcome.disposition.deletes_message and message.is_queued:
            try:
                self.queues.delete(message)
                self.observe(Step.DELETE, message.message_id)
            except HandlerError as error:
                # Harmless: the job has its outcome, so the next delivery of the message is a duplicate.
                invocation.log.warning("message not deleted", message_id=message.message_id, error=str(error))
        return outcome


def parse_fan_out(event: Mapping[str, Any]) -> Message:
    """Return the message of a fan-out event; raises `InvalidEvent` naming every missing or invalid field.

    Without `message_id` an id is derived from the body, the same for every delivery. A `receive_count` that is no
    number counts as unknown.
    """
    invalid = [name for name in _FAN_OUT_FIELDS if not isinstance(event.get(name), str) or not event[name]]
    if invalid:
        raise InvalidEvent(f"fan-out event: {', '.join(invalid)} missing or not a string")
    if not event["queue_url"].startswith(("https://", "http://")):
        raise InvalidEvent("fan-out event: queue_url is not a URL")
    count = event.get("receive_count")
    return Message(
        message_id=str(event.get("message_id") or _derive_id(event["message_body"])),
        body=event["message_body"],
        receipt_handle=event["receipt_handle"],
        queue=event["queue_url"],
        receive_count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        attributes=message_attributes.parse(event.get("message_attributes")),
    )


def create_response(status: int, **body: object) -> LambdaResponse:
    """Return the response to a direct invocation."""
    return {"statusCode": status, "body": json.dumps(body)}


def _derive_id(body: str) -> str:
    """Return an id for a message whose event has none.

    It must differ between bodies: a FIFO dead-letter queue drops a second message with the same deduplication id.
    """
    return f"direct-{hashlib.sha256(body.encode(errors='replace')).hexdigest()[:32]}"


def _response_to(outcome: MessageOutcome, status: int) -> LambdaResponse:
    if outcome.cause is None:
        return create_response(200, message=outcome.detail, scoring_job_id=outcome.scoring_job_id, processed=True)
    return create_response(status, message=outcome.cause, error=outcome.error, processed=False)
