"""Metrics of queues, functions and embedded log lines: those of one second go to CloudWatch in one call.

LocalStack calls CloudWatch through its own gateway for every message sent, received or deleted, which took more than
half of the time per message, and knows neither durations, throttles, ages nor the embedded metric format.
"""

import json
import logging
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.aws.connect import connect_to
from localstack.services.sqs.provider import CloudwatchDispatcher

LOG = logging.getLogger(__name__)
PERIOD_S = 1.0
MOST_VALUES, MOST_DATA = 150, 1000  # CloudWatch's limits per datum and per call
QUEUES, FUNCTIONS = "AWS/SQS", "AWS/Lambda"
SET_ASIDE = 3  # a message received more often does not count for the age of the oldest, as SQS documents


class Gatherer:
    """Counts values for a second, then publishes them in one call per account, region and namespace."""

    def __init__(self):
        self._lock, self._counts = threading.Lock(), defaultdict(Counter)
        self._timer: threading.Timer | None = None

    def count(self, account, region, namespace, dimensions, metric, value=1, unit="Count"):
        """Count one value of a metric and schedule its publication; `dimensions` is a tuple of names and values."""
        with self._lock:
            self._counts[account, region, namespace][dimensions, metric, unit, value] += 1
            if self._timer is None:
                self._timer = threading.Timer(PERIOD_S, self.publish)
                self._timer.daemon = True
                self._timer.start()

    def publish(self) -> None:
        """Publish the counts.

        Thread-safe. Metrics that cannot be published are dropped, and the log says so: nothing may fail because of
        them.
        """
        with self._lock:
            counted, self._counts = self._counts, defaultdict(Counter)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for (account, region, namespace), counts in counted.items():
            cloudwatch = connect_to(region_name=region, aws_access_key_id=account).cloudwatch
            for data in batched(convert_counts(counts, datetime.now(UTC)), MOST_DATA):
                try:
                    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
                except Exception as error:
                    LOG.info("metrics of %s were not published: %s", namespace, error)


GATHERER = Gatherer()


class GatheringDispatcher(CloudwatchDispatcher):
    """Dispatcher of SQS's provider that gathers instead of calling."""

    def dispatch_sqs_metric(self, account_id, region, queue_name, metric, value=1, unit="Count"):
        """Count one value."""
        if self.running:
            GATHERER.count(account_id, region, QUEUES, (("QueueName", queue_name),), metric, value, unit)


def of_function(account, region, name, metric, value=1, unit="Count") -> None:
    """Count one value of a function's metric."""
    GATHERER.count(account, region, FUNCTIONS, (("FunctionName", name),), metric, value, unit)


def count_success(function_name, account_id, region_name) -> None:
    """Count an invocation that succeeded. Lambda publishes its zero errors, too."""
    of_function(account_id, region_name, function_name, "Invocations")
    of_function(account_id, region_name, function_name, "Errors", 0)


def count_failure(function_name, account_id, region_name) -> None:
    """Count an invocation that failed."""
    of_function(account_id, region_name, function_name, "Invocations")
    of_function(account_id, region_name, function_name, "Errors")


def counting_throttles(lease):
    """Wrap CountingService.get_invocation_lease so that each refusal is counted."""

    @contextmanager
    def get_invocation_lease(self, function, function_version, *args, **kwargs):
        identity, entered = function_version.id, False
        try:
            with lease(self, function, function_version, *args, **kwargs) as kind:
                entered = True
                yield kind
        except TooManyRequestsException:
            if not entered:
                of_function(identity.account, identity.region, identity.function_name, "Throttles")
            raise

    return get_invocation_lease


def publishing_ages(publish):
    """Wrap the minutely publication of queue depths so that the age of the oldest message goes with them."""

    def with_ages(self):
        from localstack.services.sqs.models import sqs_stores

        publish(self)
        now = time.time()
        for account, region, store in sqs_stores.iter_stores():
            for queue in list(store.queues.values()):
                age = max((now - sent for sent in _sent_times(queue)), default=0.0)
                dimensions = (("QueueName", queue.name),)
                GATHERER.count(
                    account, region, QUEUES, dimensions, "ApproximateAgeOfOldestMessage", int(age), "Seconds"
                )

    return with_ages


def _sent_times(queue):
    """Return when each message of a queue was sent that SQS counts for the age of the oldest."""
    with queue.mutex:
        groups = getattr(queue, "message_groups", {}).values()
        waiting = (
            [*queue.visible.queue] if hasattr(queue, "visible") else [m for group in groups for m in group.messages]
        )
        messages = [*waiting, *queue.inflight, *queue.delayed]
    return [message.created for message in messages if message.receive_count <= SET_ASIDE]


def count_embedded(account, region, line: str) -> None:
    """Count the metrics of a log line in CloudWatch's embedded metric format; other lines have none.

    A value may be a list; each of its members counts. Dimensions that the line does not have are left out.
    """
    try:
        record = json.loads(line)
        directives = record["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = tuple((name, str(record[name])) for name in names if name in record)
            for metric in directive.get("Metrics", ()):
                values = record.get(metric["Name"], [])
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    GATHERER.count(account, region, directive["Namespace"], dimensions, metric["Name"], value, unit)


def convert_counts(counts, when):
    """Convert counts of (dimensions, metric, unit, value) to CloudWatch data.

    Yields at most MOST_VALUES values in a datum, which is CloudWatch's limit.
    """
    values = defaultdict(list)
    for (dimensions, metric, unit, value), count in counts.items():
        values[dimensions, metric, unit].append((value, count))
    for (dimensions, metric, unit), points in values.items():
        for part in batched(points, MOST_VALUES):
            yield {
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
                "Unit": unit,
                "Timestamp": when,
                "Values": [float(value) for value, _ in part],
                "Counts": [float(count) for _, count in part],
            }
