"""Checks of the queues: visibility timeout, dead-letter queues, depth and age."""

from __future__ import annotations

import json

from plexus.problems import pluralize

from ..aws import queues
from ..aws.clients import Aws, make
from .finding import FAIL, OK, WARN, Finding

IN_FLIGHT = {"standard": 120_000, "fifo": 20_000}
"""SQS's limits of messages in flight, above which a queue delivers none."""
TIMES = 6
"""AWS recommends a visibility timeout of six function timeouts, so that throttled batches are not redelivered."""


def check_visibility(aws: Aws) -> Finding:
    """visibility: a message is invisible for longer than the function may run."""
    url = aws.queue_url(aws.stage.queues.request)
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])[
        "Attributes"
    ]
    configured = int(attributes["VisibilityTimeout"])
    timeout = aws.client("lambda").get_function_configuration(FunctionName=aws.stage.function.name)["Timeout"]
    detail = f"{configured} s for a function timeout of {timeout} s"
    if configured < timeout:
        return Finding("visibility", FAIL, f"{detail}: running jobs are redelivered", make("infra-deploy", aws.stage))
    if configured < TIMES * timeout:
        return Finding("visibility", WARN, f"{detail}, expected {TIMES * timeout} s", make("infra-deploy", aws.stage))
    return Finding("visibility", OK, detail)


def redrive(aws: Aws) -> Finding:
    """dead letters: each queue has its dead-letter queue, which is empty."""
    names = aws.stage.queues
    for name, wanted in {
        names.request: names.request_dead_letters,
        names.response: names.response_dead_letters,
    }.items():
        url = aws.queue_url(name)
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
        target = policy.get("deadLetterTargetArn", "").rpartition(":")[2]
        if target != wanted:
            return Finding(
                "dead letters",
                FAIL,
                f"{name}: got dead-letter queue {target or 'none'}, expected {wanted}",
                make("infra-deploy", aws.stage),
            )
    waiting = queues.count_messages(aws, aws.queue_url(names.request_dead_letters))
    if waiting:
        look = make("dlq", aws.stage)
        return Finding(
            "dead letters",
            WARN,
            pluralize(waiting, "message"),
            f"{look} lists the reasons; {look} REDRIVE=1 redrives them",
        )
    return Finding("dead letters", OK, "0 messages; both queues have a dead-letter queue")


def check_depth(aws: Aws) -> Finding:
    """queues: each delivers messages, and none waits longer than the visibility timeout."""
    names = aws.stage.queues
    counts = {name: queues.read_counts(aws, aws.queue_url(name)) for name in (names.request, names.response)}
    depth = counts[names.request].total
    age = queues.read_age(aws, names.request) if depth else 0.0
    detail = "; ".join(f"{name}: {count}" for name, count in counts.items())
    for name, count in counts.items():
        limit = IN_FLIGHT["fifo" if name.endswith(".fifo") else "standard"]
        if count.in_flight >= limit:
            problem = f"{name} delivers no message: got {count.in_flight} in flight, expected fewer than {limit}"
            way = "stop the consumer that deletes none, wait for their visibility timeout, then run make doctor again"
            return Finding("queues", FAIL, problem, way)
    if depth and age > aws.stage.queues.visibility_timeout_s:
        return Finding(
            "queues",
            FAIL,
            f"{detail}; oldest request: {age:.0f} s",
            f"{make('logs', aws.stage)} FOLLOW=0 LEVEL=ERROR SINCE=1h",
        )
    return Finding("queues", OK, detail)
