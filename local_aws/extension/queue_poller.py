"""SQS event sources: concurrent batches up to MaximumConcurrency, and message bodies passed through verbatim.

LocalStack's own poller invokes one batch at a time, and parses and rewrites JSON bodies.
"""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from localstack.services.lambda_.event_source_mapping.event_processor import PartialBatchFailureError
from localstack.services.lambda_.event_source_mapping.pollers.poller import parse_batch_item_failures
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller, transform_into_events

from local_aws import event_batches

LOG = logging.getLogger(__name__)
DEFAULT_CONCURRENCY = 5  # Lambda's initial concurrency for a standard queue
MOST_CONCURRENCY = 1000
WAIT_S = 1  # duration of a long poll, after which a disabled mapping stops
CLOSED_S = 0.1  # interval at which a stopped poller checks whether LocalStack has closed it
_closed = threading.Event()


def close_all() -> None:
    """Stop all pollers from receiving: the local AWS is stopping, so nothing could process new messages."""
    _closed.set()


class QueuePoller(SqsPoller):
    """Poller that receives while a slot is free, and invokes each batch in its own thread."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._slots = threading.Semaphore(DEFAULT_CONCURRENCY)
        self._pool = ThreadPoolExecutor(MOST_CONCURRENCY, thread_name_prefix="event-source")
        self._receiving, self._stopped = threading.Lock(), False

    def limit(self, batches: int | None) -> None:
        """Set the maximum number of batches in flight. Call before the first poll."""
        self._slots = threading.Semaphore(1 if self.is_fifo_queue else batches or DEFAULT_CONCURRENCY)

    def poll_events(self) -> None:
        """Receive one batch and dispatch it. Return if no message or no slot is available within a second."""
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
        """Stop receiving. Return once a poll in flight has finished, at most WAIT_S later."""
        self._stopped = True
        with self._receiving:
            pass

    def close(self) -> None:
        """Wait for the batches in flight; a mapping becomes Disabled afterwards."""
        self._pool.shutdown(wait=True)

    def handle_messages(self, messages) -> None:
        """Invoke the function with the matching messages, and delete those that it did not report as failed.

        Messages that a filter excludes are deleted without an invocation, as on AWS. If the function fails, none is
        deleted, and its error is raised.
        """
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
            # LocalStack's own batching, for mappings with a window: over ten messages, and waiting for a full batch
            sqs_override_max_message_count=self.batch_size,
            sqs_override_wait_time_seconds=window,
        )
        return answer.get("Messages", [])

    def _process(self, messages: list[dict]) -> None:
        try:
            for batch in event_batches.split(messages):
                self._handle(batch)
        finally:
            self._slots.release()

    def _handle(self, batch: list[dict]) -> None:
        try:
            self.handle_messages(batch)
        except Exception as error:  # messages become visible again after their timeout, as on AWS
            LOG.info("batch of %s: %s", self.source_arn, error)

    def _matches(self, event: dict) -> bool:
        if not self.filter_patterns:
            return True
        try:
            body = json.loads(event["body"])
        except ValueError:
            body = event["body"]
        return bool(self.filter_events([{**event, "body": body}]))


def ignore_replaced_workers(worker) -> None:
    """Make LocalStack's class of workers write the state of a mapping only while they are its current worker.

    An update replaces the worker. The loop of the old one ends after its batches, and would then report Disabled for
    a mapping that is enabled.
    """
    current: dict = {}
    create_original, write_original = worker.create, worker.update_esm_state_in_store

    def create(self):
        current[self.uuid] = self
        create_original(self)

    def write(self, new_state):
        if current.get(self.uuid, self) is self:
            write_original(self, new_state)

    worker.create, worker.update_esm_state_in_store = create, write
