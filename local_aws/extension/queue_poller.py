"""SQS event sources: several batches at once up to MaximumConcurrency, and bodies handed on as they were sent.

LocalStack's own poller invokes one batch after the other and parses and rewrites JSON bodies.
"""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from localstack.services.lambda_.event_source_mapping.event_processor import PartialBatchFailureError
from localstack.services.lambda_.event_source_mapping.pollers.poller import parse_batch_item_failures
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller, transform_into_events

LOG = logging.getLogger(__name__)
DEFAULT_CONCURRENCY = 5  # how many batches Lambda begins with for a standard queue
MOST_CONCURRENCY = 1000
WAIT_S = 1  # of one long poll; a disabled mapping notices within this time
CLOSED_S = 0.1  # between two looks whether LocalStack has ended a poller that may receive no more
_closed = threading.Event()


def close_all() -> None:
    """Let no poller receive any more: the local AWS stops, and nothing could work on what came."""
    _closed.set()


class QueuePoller(SqsPoller):
    """Receives while a slot is free, and invokes each batch in a thread of its own."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._slots = threading.Semaphore(DEFAULT_CONCURRENCY)
        self._pool = ThreadPoolExecutor(MOST_CONCURRENCY, thread_name_prefix="event-source")
        self._receiving, self._stopped = threading.Lock(), False

    def limit(self, batches: int | None) -> None:
        """Set how many batches may be in flight; before the first poll."""
        self._slots = threading.Semaphore(1 if self.is_fifo_queue else batches or DEFAULT_CONCURRENCY)

    def poll_events(self) -> None:
        """Receive one batch and hand it over; return at once when there is none, or no slot, in a second."""
        if _closed.is_set():
            time.sleep(CLOSED_S)
            return
        if not self._slots.acquire(timeout=WAIT_S):
            return
        try:
            with self._receiving:
                messages = [] if self._stopped else self._receive()
        except BaseException:
            self._slots.release()
            raise
        if messages:
            self._pool.submit(self._process, messages)
        else:
            self._slots.release()

    def stop_receiving(self) -> None:
        """Take no more messages; returns once a poll under way is over, at most WAIT_S later."""
        self._stopped = True
        with self._receiving:
            pass

    def close(self) -> None:
        """Wait for the batches in flight: a mapping is disabled once they are over."""
        self._pool.shutdown(wait=True)

    def handle_messages(self, messages) -> None:
        """Invoke the function with the messages that match, and delete what it has not reported as failed."""
        events = transform_into_events(messages)
        matching = [event for event in events if self._matches(event)]
        kept = {event["messageId"] for event in matching}
        self.delete_messages(messages, {event["messageId"] for event in events} - kept)
        if not matching:
            return
        try:
            self.processor.process_events_batch(self.add_source_metadata(matching))
        except PartialBatchFailureError as error:
            kept -= set(parse_batch_item_failures(error.partial_failure_payload, kept))
        self.delete_messages(messages, kept)

    def _receive(self) -> list[dict]:
        window = self.maximum_batching_window
        answer = self.source_client.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=min(self.batch_size, 10),
            WaitTimeSeconds=min(window, 20) or WAIT_S,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            # LocalStack's own: more than ten at once, and waiting for a full batch; only for mappings with a window
            sqs_override_max_message_count=self.batch_size,
            sqs_override_wait_time_seconds=window,
        )
        return answer.get("Messages", [])

    def _process(self, messages: list[dict]) -> None:
        try:
            self.handle_messages(messages)
        except Exception as error:  # the messages become visible again after their timeout, as on AWS
            LOG.info("batch of %s: %s", self.source_arn, error)
        finally:
            self._slots.release()

    def _matches(self, event: dict) -> bool:
        if not self.filter_patterns:
            return True
        try:
            body = json.loads(event["body"])
        except ValueError:
            body = event["body"]
        return bool(self.filter_events([{**event, "body": body}]))
