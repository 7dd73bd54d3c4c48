"""The doctor's look at the queues: visibility, redrive, depth and age."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from . import _scenario
from ._aws import Aws, make
from ._finding import BAD, LOOK, OK, Finding

TIMES = 6
"""Lambda's advice: a message stays hidden six timeouts, so that throttled batches do not come back meanwhile."""


def visibility(aws: Aws) -> Finding:
    """visibility: a message stays hidden while it is worked on."""
    url = aws.queue_url(aws.stage.queues.request)
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])[
        "Attributes"
    ]
    found = int(attributes["VisibilityTimeout"])
    timeout = aws.client("lambda").get_function_configuration(FunctionName=aws.stage.function.name)["Timeout"]
    detail = f"{found} s for a timeout of {timeout} s"
    if found < timeout:
        return Finding(
            "visibility", BAD, f"{detail}: jobs are delivered again while they run", make("infra-deploy", aws.stage)
        )
    if found < TIMES * timeout:
        return Finding("visibility", LOOK, f"{detail}, expected {TIMES * timeout} s", make("infra-deploy", aws.stage))
    return Finding("visibility", OK, detail)


def redrive(aws: Aws) -> Finding:
    """dead letters: each queue sends what fails too often to its own dead-letter queue."""
    names = aws.stage.queues
    for name, wanted in {
        names.request: names.request_dead_letters,
        names.response: names.response_dead_letters,
    }.items():
        url = aws.queue_url(name)
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
        found = policy.get("deadLetterTargetArn", "").rpartition(":")[2]
        if found != wanted:
            return Finding(
                "dead letters",
                BAD,
                f"{name} sends to {found or 'none'}, expected {wanted}",
                make("infra-deploy", aws.stage),
            )
    waiting = _scenario.depth(aws, aws.queue_url(names.request_dead_letters))
    if waiting:
        look = make("dlq", aws.stage)
        return Finding("dead letters", LOOK, f"{waiting} wait", f"{look} shows why; {look} REDRIVE=1 sends them back")
    return Finding("dead letters", OK, "both queues have their own, none waits")


def depth(aws: Aws) -> Finding:
    """queues: how much waits, and for how long."""
    names = aws.stage.queues
    depths = {name: _scenario.depth(aws, aws.queue_url(name)) for name in (names.request, names.response)}
    age = age_of(aws, names.request) if depths[names.request] else 0.0
    detail = ", ".join(f"{name} {count}" for name, count in depths.items())
    if depths[names.request] and age > aws.stage.queues.visibility_timeout_s:
        return Finding(
            "queues", BAD, f"{detail}; the oldest request waits {age:.0f} s", "is the event source on? make logs"
        )
    return Finding("queues", OK, detail)


def age_of(aws: Aws, queue: str) -> float:
    """Seconds that the oldest message waits, as CloudWatch knows it; 0 where it knows nothing yet."""
    now = datetime.now(UTC)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(minutes=15),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max(points, key=lambda point: point["Timestamp"])["Maximum"]) if points else 0.0
