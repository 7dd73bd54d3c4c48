"""A stage with much to show: jobs in every state, results, dead letters, an hour of log, a long history of deploys."""

import json
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.aws import ledger
from scripts.aws.clients import Aws
from scripts.aws.ledger import Entry
from scripts.jobs import shadow_reports
from scripts.jobs.seeding import encode
from scripts.jobs.shadow_reports import Durations, ScoreFigures, ShadowReport

LONG = (
    "Customer's Reason for Cancelling a Subscription During the Promotional Period (Nordic Markets, Quarterly Review)"
)
SECRET = "AKIAABCDEFGHIJKLMNOP"
TEXT = "My parcel never came and nobody answers the telephone."
MARKUP = "<img src=x onerror=alert(1)>"
REASONS = (
    f"ScoringFailed: the provider said 529 after 5 tries {MARKUP}",
    "InvalidMessage: the message's body is not JSON: Expecting value at character 0",
    f"Misconfigured: access key {SECRET} may not read the bucket",
    "",
)
CAUSES = (
    ("ERROR", "invalid message body", "dead-lettered", REASONS[1]),
    ("ERROR", "record of another account", "failed", "ForeignRecord: Item item-1 belongs to another account"),
    ("WARNING", "AWS throttled, failed or timed out", "retried", "Unavailable: dynamodb TransactWriteItems throttled"),
    ("WARNING", "leased by another worker", "returned", "JobLeased: free in 41 s"),
    ("ERROR", "provider, expression, parser or validation failed", "dead-lettered", REASONS[0]),
)


def at(minutes: float) -> str:
    """Return the time that many minutes ago, in the format of the records."""
    when = datetime.now(UTC) - timedelta(minutes=minutes)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(aws: Aws, table: str, records: Sequence[dict[str, Any]]) -> None:
    """Write records."""
    client, name = aws.client("dynamodb"), aws.stage.table(table)
    for start in range(0, len(records), 25):
        puts: Any = [{"PutRequest": {"Item": encode(record)}} for record in records[start : start + 25]]
        client.batch_write_item(RequestItems={name: puts})


def jobs(aws: Aws, states: dict[str, int]) -> None:
    """Write so many jobs of each state; one in seven of those IN_PROGRESS has a lease that ran out."""
    created = []
    for state, count in states.items():
        for number in range(count):
            job: dict[str, Any] = {"id": f"{state.lower()}-{number:05d}", "status": state, "attempts": 1 + number % 5}
            if state == "IN_PROGRESS":
                job["leaseUntil"] = int(time.time()) + (300 if number % 7 else -300)
            if state == "FAILED":
                job |= {"errorMessage": REASONS[number % 3], "completedAt": at(number)}
            created.append(job)
    write(aws, "ScoringJob", created)


def results(aws: Aws, count: int) -> None:
    """Write results, the first one the newest, of two scores; each quotes a text where none may be shown."""
    write(aws, "Score", [{"id": "score-0", "name": LONG}, {"id": "score-1", "name": f"Sentiment {MARKUP}"}])
    created = [
        {
            "id": f"result-{number:05d}",
            "scoringJobId": f"completed-{number:05d}",
            "scoreId": f"score-{number % 2}",
            "value": LONG if number == 2 else ("Yes", "No", "Unclear")[number % 3],
            "explanation": TEXT,
            "confidence": 0.5 + number % 50 / 100 if number % 3 else None,
            "createdAt": at(number),
        }
        for number in range(count)
    ]
    created = [{name: _decimal(value) for name, value in record.items()} for record in created]
    write(aws, "ScoreResult", created)


def _decimal(value: Any) -> Any:
    from decimal import Decimal

    return Decimal(str(value)) if isinstance(value, float) else value


def letters(aws: Aws, count: int) -> None:
    """Put messages into the dead-letter queue, with the worker's reasons."""
    url = aws.queue_url(aws.stage.queues.request_dead_letters)
    for start in range(0, count, 10):
        entries: Any = [_entry(number) for number in range(start, min(count, start + 10))]
        aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def _entry(number: int) -> dict[str, Any]:
    reason = REASONS[number % 4]
    body = json.dumps({"scoring_job_id": f"failed-{number:05d}"}) if number % 3 else TEXT
    attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
    return {"Id": str(number), "MessageBody": body, "MessageAttributes": attributes}


def log(aws: Aws, minutes: int = 58, seed: int = 1) -> None:
    """Write an hour of log lines: jobs with durations, reports, warnings and errors."""
    client, group = aws.client("logs"), aws.stage.log_group
    if not client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="busy")
    now = int(time.time() * 1000)
    lines = [(now - 60_000 * minute - offset, text) for minute, offset, text in _lines(minutes, random.Random(seed))]
    events: Any = [{"timestamp": when, "message": text} for when, text in sorted(lines)]
    for start in range(0, len(events), 500):
        client.put_log_events(logGroupName=group, logStreamName="busy", logEvents=events[start : start + 500])


def _lines(minutes: int, chance: random.Random) -> Iterator[tuple[int, int, str]]:
    for minute in range(minutes):
        slow = 6 if 20 <= minute < 27 else 1
        for number in range(chance.randint(2, 12)):
            offset = chance.randint(0, 59_000)
            times = [round(slow * chance.lognormvariate(4.6, 0.7), 1) for _ in range(10)]
            yield minute, offset, json.dumps({"_aws": {"Timestamp": 1}, "JobDuration": times, "JobsCompleted": 10})
            yield (
                minute,
                offset,
                f"REPORT RequestId: {minute}-{number}\tDuration: {sum(times):.2f} ms\tBilled Duration: 900 ms\t"
                "Memory Size: 2048 MB\tMax Memory Used: 180 MB" + "\tInit Duration: 400.00 ms" * (number == 0),
            )
        for level, cause, ending, error in CAUSES if minute % 5 == 3 else ():
            job = None if ending == "dead-lettered" and "request" in cause else f"failed-{minute:05d}"
            line = {"level": level, "message": "no result", "cause": cause, "ending": ending, "error": error}
            yield minute, 0, json.dumps({**line, "scoring_job_id": job})
    yield 4, 0, "2026-01-01T00:00:00Z 1f Task timed out after 300.00 seconds"


def deploys(aws: Aws, count: int) -> None:
    """Write a history of deploys into the ledger."""
    for number in range(count):
        digests = [f"sha256:{chr(97 + (count - number + back) % 6) * 64}" for back in (0, 1)]
        action = ("deploy", "config", "canary", "rollback")[number % 4]
        note = "canary 30 % for 10 s: 3 calls, 0 failed, 0 jobs without a result" if action == "canary" else ""
        who = "arn:aws:sts::000000000000:assumed-role/release-engineering/someone.with.a.long.name@example.com"
        version = count - number
        entry = Entry(at(60 * number * number), action, str(version), *(digests[0], str(version - 1), digests[1]),
                      "0123456789abcdef0123456789abcdef01234567", "c", "l", who, note)  # fmt: skip
        ledger.write(aws, entry)


def shadows(aws: Aws) -> None:
    """Store the figures of two shadow runs, the second of two scores, one of which costs nothing that is known."""
    first = ScoreFigures("Sentiment", 20, 20, (0.84, 1.0), {}, 0.04, 20, 0.03, 20)
    second = ScoreFigures(
        f"{LONG} {MARKUP} {SECRET}", 240, 219, (0.872, 0.943), {"value": 20, "spelling": 1}, 0, 0, 0, 0
    )
    times = Durations(260, 4.25, 11.5, 38.0), Durations(260, 1.31, 3.07, 9.2)
    for minutes, scores in ((300, (first,)), (2, (first, second))):
        shadow_reports.write(
            aws, ShadowReport(at(minutes), "arn:aws:sts::000000000000:assumed-role/x", "12", 0.98, scores, *times)
        )


def fill(aws: Aws) -> None:
    """Everything of it."""
    jobs(aws, {"PENDING": 37, "IN_PROGRESS": 14, "COMPLETED": 912, "FAILED": 41})
    results(aws, 340)
    letters(aws, 137)
    deploys(aws, 12)
    shadows(aws)
    log(aws)
    url = aws.queue_url(aws.stage.queues.request)
    for number in range(4):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"scoring_job_id": f"pending-{number}"}))
