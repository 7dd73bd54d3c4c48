"""Checks of the queues: visibility timeout, dead-letter queues, depth and age."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..aws import health, ledger, queues
from ..aws.clients import Aws, make
from ..aws.health import Call
from ..console.text import format_clock_time, pluralize
from ..differences import queue_drift
from .finding import FAIL, OK, WARN, Finding
from .function_checks import read_served_version

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

IN_FLIGHT = {"standard": 120_000, "fifo": 20_000}
"""SQS's limits of messages in flight, above which a queue delivers none."""
POISON = "InvalidMessage"  # begins the worker's reason for a letter whose body names no job
COMPARED_ABOVE = ("visibility timeout", "dead-letter queue")
TIMES = 6
"""AWS recommends a visibility timeout of six function timeouts, so that throttled batches are not redelivered."""


def check_visibility(aws: Aws) -> Finding:
    """visibility: a message is invisible for longer than the function may run."""
    url = aws.queue_url(aws.stage.queues.request)
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])[
        "Attributes"
    ]
    configured = int(attributes["VisibilityTimeout"])
    timeout = read_served_version(aws).timeout_s
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
    url = aws.queue_url(names.request_dead_letters)
    if waiting := queues.count_messages(aws, url):
        return _describe_letters(aws, waiting, _receive_some(aws, url))
    return Finding("dead letters", OK, "0 messages; both queues have a dead-letter queue")


def check_drift(aws: Aws) -> Finding:
    """queue drift: settings that the other checks of queues do not compare equal the templates'."""
    wrong = [one for one in queue_drift.compare_queues(aws) if not one.is_absence and one.setting not in COMPARED_ABOVE]
    if wrong:
        return Finding("queue drift", FAIL, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    return Finding("queue drift", OK, "none in retention, delay, receives, sources, encryption and policy")


def _receive_some(aws: Aws, url: str) -> Sequence[MessageTypeDef]:
    """Return some dead letters; none for a caller who may only read the queue's attributes."""
    from botocore.exceptions import ClientError

    with suppress(ClientError):
        return queues.receive_some(aws, url)
    return ()


def _describe_letters(aws: Aws, waiting: int, seen: Sequence[MessageTypeDef]) -> Finding:
    """Return the finding for the dead letters, by those of them that could be received.

    The worker's letters are sent when it gives a job up. One that SQS moved has the time of its first message, and no
    reason: it may be newer than it looks.
    """
    began = ledger.find_beginning(ledger.read_entries(aws) or ())
    attributes: list[Mapping[str, Any]] = [message.get("MessageAttributes", {}) for message in seen]
    reasons = [str(entry.get("reason", {}).get("StringValue", "")) for entry in attributes]
    times = [int(message["Attributes"]["SentTimestamp"]) for message in seen]
    is_older = len(seen) >= waiting and all(
        reason and at < ledger.parse_milliseconds(began) for reason, at in zip(reasons, times, strict=True)
    )
    detail = pluralize(waiting, "message") + (
        f", sent before version {began.version} went live" if is_older and began else ""
    )
    poison = sum(reason.startswith(POISON) for reason in reasons)
    look = make("dlq", aws.stage)
    way = f"{look} lists the reasons; {look} REDRIVE=1 redrives them"
    if poison and poison == len(seen):
        detail += f"; {'it names' if waiting == 1 else 'they name'} no job, so that no redrive helps"
        way = make("dlq DELETE=poison", aws.stage)
    elif poison:
        way = f"{way}; {make('dlq DELETE=poison', aws.stage)} deletes those that name no job"
    return Finding("dead letters", WARN, detail, way, is_aftermath=is_older)


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
    if counts[names.request].in_flight and (lost := _find_lost_calls(aws)):
        until = format_clock_time(lost[-1].at_ms + names.visibility_timeout_s * 1000)
        detail += f"; messages of {pluralize(len(lost), 'failed call')} may be in flight until {until}"
        return Finding("queues", WARN, detail, f"wait until {until}, then run make doctor again", is_aftermath=True)
    return Finding("queues", OK, detail)


def _find_lost_calls(aws: Aws) -> list[Call]:
    """Return the invocations of any version that failed within the visibility timeout, which hides their messages."""
    since_ms = int((time.time() - aws.stage.queues.visibility_timeout_s) * 1000)
    failed = [call for one in health.read(aws, since_ms).values() for call in one.failed]
    return sorted(failed, key=lambda call: call.at_ms)
