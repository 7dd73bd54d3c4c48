"""Write functions' log lines to CloudWatch Logs as they arrive, batched by time so that heavy logging stays cheap."""

import contextlib
import logging
import queue
import threading
import time

from localstack.aws.connect import connect_to

from local_aws.extension import metrics

LOG = logging.getLogger(__name__)
BATCH_S = 0.05
BATCH_EVENTS = 10_000  # limits of one PutLogEvents call
BATCH_BYTES = 1_000_000
_work: queue.SimpleQueue = queue.SimpleQueue()
_started = threading.Lock()
_thread: threading.Thread | None = None


class LogStream:
    """One log stream; each execution environment has its own, as on AWS."""

    def __init__(self, account: str, region: str, group: str, stream: str) -> None:
        self.account, self.region, self.group, self.stream = account, region, group, stream
        self.created = False
        _start()

    def add(self, line: str) -> None:
        """Append one line with the current time."""
        if line:  # CloudWatch Logs rejects empty events
            if '"_aws"' in line:
                metrics.count_embedded(self.account, self.region, line)
            _work.put((self, {"timestamp": int(time.time() * 1000), "message": line + "\n"}))

    def flush(self) -> None:
        """Do nothing: the writer lags by at most BATCH_S."""


def _start() -> None:
    global _thread
    with _started:
        if _thread is None:
            _thread = threading.Thread(target=_write_all, name="log-writer", daemon=True)
            _thread.start()


def _write_all() -> None:
    while True:
        first = _work.get()
        time.sleep(BATCH_S)
        batches: dict[LogStream, list[dict]] = {first[0]: [first[1]]}
        with contextlib.suppress(queue.Empty):
            while True:
                stream, event = _work.get_nowait()
                batches.setdefault(stream, []).append(event)
        for stream, events in batches.items():
            try:
                _put(stream, events)
            except Exception as error:  # a failed write must not stop the writer
                LOG.warning("log of %s: %s", stream.group, error)


def _put(stream: LogStream, events: list[dict]) -> None:
    client = connect_to(aws_access_key_id=stream.account, region_name=stream.region).logs
    if not stream.created:
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=stream.group)
        with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_stream(logGroupName=stream.group, logStreamName=stream.stream)
        stream.created = True
    for batch in _batches(events):
        try:
            client.put_log_events(logGroupName=stream.group, logStreamName=stream.stream, logEvents=batch)
        except client.exceptions.ResourceNotFoundException:  # the log group has been deleted
            stream.created = False
            return


def _batches(events: list[dict]):
    batch: list[dict] = []
    size = 0
    for event in events:
        length = len(event["message"].encode()) + 26
        if batch and (len(batch) == BATCH_EVENTS or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
