"""SQS's metrics of single calls: those of a second go to CloudWatch together.

LocalStack makes a call of its own to CloudWatch, through its own gateway, for each message that is sent, received or
deleted: more than half of all the work that a queue's message took.
"""

import logging
import threading
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import batched

from localstack.aws.connect import connect_to
from localstack.services.sqs.provider import CloudwatchDispatcher

LOG = logging.getLogger(__name__)
PERIOD_S = 1.0
MOST_VALUES, MOST_DATA = 150, 1000  # CloudWatch's limits of a datum, and of a call


class GatheringDispatcher(CloudwatchDispatcher):
    """Counts what happened in a second, each value by itself, and tells it in one call for an account and region."""

    def __init__(self, num_thread: int = 1):
        super().__init__(num_thread)
        self._lock, self._counts = threading.Lock(), defaultdict(Counter)
        self._timer: threading.Timer | None = None

    def dispatch_sqs_metric(self, account_id, region, queue_name, metric, value=1, unit="Count"):
        """Count one value, and see to it that it will be published."""
        with self._lock:
            if not self.running:
                return
            self._counts[account_id, region][queue_name, metric, unit, value] += 1
            if self._timer is None:
                self._timer = threading.Timer(PERIOD_S, self.publish)
                self._timer.daemon = True
                self._timer.start()

    def publish(self) -> None:
        """Tell what was counted."""
        with self._lock:
            counted, self._counts, self._timer = self._counts, defaultdict(Counter), None
        for (account_id, region), counts in counted.items():
            cloudwatch = connect_to(region_name=region, aws_access_key_id=account_id).cloudwatch
            for data in batched(metric_data(counts, datetime.now(UTC)), MOST_DATA):
                try:
                    cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=data)
                except Exception as error:
                    LOG.info("metrics of queues were not published: %s", error)

    def shutdown(self) -> None:
        """Publish no more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            super().shutdown()


def metric_data(counts, when):
    """CloudWatch's data of counted (queue, metric, unit, value)s."""
    values = defaultdict(list)
    for (queue, metric, unit, value), count in counts.items():
        values[queue, metric, unit].append((value, count))
    for (queue, metric, unit), found in values.items():
        for part in batched(found, MOST_VALUES):
            yield {
                "MetricName": metric,
                "Dimensions": [{"Name": "QueueName", "Value": queue}],
                "Unit": unit,
                "Timestamp": when,
                "Values": [float(value) for value, _ in part],
                "Counts": [float(count) for _, count in part],
            }
