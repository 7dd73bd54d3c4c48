"""The panel of queues: depths by SQS, the oldest message's age by CloudWatch or by peeking into the local AWS."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..aws.clients import explain
from ..console.errors import NotFound
from .connection import ReadOnly
from .hygiene import sanitize
from .values import Queue, Queues

COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
METRIC_S = 60  # SQS publishes metrics once a minute
BACK = timedelta(minutes=10)
MOST_MESSAGES = 1000  # peeking into the local AWS returns whole messages


def name_queues(aws: ReadOnly) -> dict[str, str]:
    """Return the role of each queue by name."""
    queues = aws.stage.queues
    return {
        queues.request: "requests",
        queues.response: "responses",
        queues.request_dead_letters: "request dead letters",
        queues.response_dead_letters: "response dead letters",
    }


@dataclass
class QueueReader:
    """Reads the depths each time and CloudWatch once a minute: at most nine calls, five after the first reading."""

    clock: Callable[[], float] = time.time
    _urls: dict[tuple[str | None, str], str] = field(default_factory=dict)
    _ages: dict[str, float] = field(default_factory=dict)
    _note: str = ""
    _asked: float = 0.0

    def __call__(self, aws: ReadOnly) -> Queues:
        """Read the four queues; a queue that cannot be read has a problem instead of values."""
        queues = [self._read_depths(aws, name, role) for name, role in name_queues(aws).items()]
        if all(queue.problem for queue in queues):
            raise NotFound(queues[0].problem, "make infra-deploy")
        if aws.stage.is_local:
            return Queues([self._read_age(aws, queue) for queue in queues])
        if self.clock() >= self._asked + METRIC_S:
            self._ask(aws)
        return Queues([replace(one, oldest_s=self._age(one)) for one in queues], self._note)

    def find_url(self, aws: ReadOnly, name: str) -> str:
        """Return a queue's URL, cached."""
        key = (aws.endpoint, name)
        if key not in self._urls:
            self._urls[key] = aws.queue_url(name)
        return self._urls[key]

    def _read_depths(self, aws: ReadOnly, name: str, role: str) -> Queue:
        try:
            answer = aws.client("sqs").get_queue_attributes(QueueUrl=self.find_url(aws, name), AttributeNames=[*COUNTS])
        except NotFound as error:
            return Queue(name, role, problem=error.problem)
        except Exception as error:
            self._urls.pop((aws.endpoint, name), None)
            known = explain(error, aws.stage)
            if known is None or type(known).__name__ == "NotRunning":
                raise
            return Queue(name, role, problem=sanitize(known.problem))
        visible, in_flight, delayed = (int(answer["Attributes"][count]) for count in COUNTS)
        return Queue(name, role, visible, in_flight, delayed)

    def _age(self, queue: Queue) -> float | None:
        return self._ages.get(queue.name) if queue.depth else None

    def _ask(self, aws: ReadOnly) -> None:
        self._asked = self.clock()
        try:
            self._ages, self._note = read_ages(aws, datetime.fromtimestamp(self._asked, UTC)), ""
        except Exception as error:
            known = explain(error, aws.stage)
            if known is None:
                raise
            self._ages, self._note = {}, f"ages unknown: {sanitize(known.problem)}"

    def _read_age(self, aws: ReadOnly, queue: Queue) -> Queue:
        window = aws.peeking()
        if window is None or not 0 < queue.depth <= MOST_MESSAGES:
            return queue
        got = window.client("sqs").receive_message(
            QueueUrl=self.find_url(aws, queue.name), MessageSystemAttributeNames=["SentTimestamp"]
        )
        sent = [int(message["Attributes"]["SentTimestamp"]) for message in got.get("Messages", [])]
        return replace(queue, oldest_s=max(0.0, self.clock() - min(sent) / 1000) if sent else None)


def read_ages(aws: ReadOnly, now: datetime) -> dict[str, float]:
    """Return the age of each queue's oldest message in seconds, by CloudWatch, in one call.

    Only the last datapoint counts. A queue without one in the last minutes, since it is empty or idle, is left out.
    """
    known = list(name_queues(aws))
    queries: list[dict[str, Any]] = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SQS",
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": name}],
                },
                "Period": METRIC_S,
                "Stat": "Maximum",
            },
        }
        for number, name in enumerate(known)
    ]
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - BACK, EndTime=now, ScanBy="TimestampDescending"
    )
    values = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {name: float(values[f"q{i}"][0]) for i, name in enumerate(known) if values.get(f"q{i}")}
