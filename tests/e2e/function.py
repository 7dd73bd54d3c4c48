"""The function of the test image: one action for each key of the event, and an SQS → DynamoDB → SQS worker."""

import itertools
import json
import os
import sys
import time
from typing import Any

print("init of", os.environ["AWS_LAMBDA_FUNCTION_NAME"])
if "INIT_SLEEP" in os.environ:
    time.sleep(float(os.environ["INIT_SLEEP"]))
if "INIT_FAIL" in os.environ:
    raise RuntimeError("init failed")
CALLS = 0


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the event's keys ask for; answer with what a test wants to see."""
    global CALLS
    CALLS += 1
    if "Records" in event:
        return work(event["Records"])
    for key, action in ACTIONS.items():
        if key in event:
            action(event[key])
    return {
        "calls": CALLS,
        "uid": os.getuid(),
        "pid": os.getpid(),
        "arn": context.invoked_function_arn,
        "request_id": context.aws_request_id,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "environment": dict(os.environ) if "environment" in event else None,
        "writes": {path: attempt_write(path) for path in event.get("write", [])},
        "filled": fill(event["fill"]) if "fill" in event else None,
        "listing": sorted(os.listdir(event["list"])) if "list" in event else None,
        "echo": event.get("echo"),
        "padding": "x" * event.get("repeat", 0),
        "value": evaluate(event.get("evaluate")),
    }


def allocate(megabytes: int) -> None:
    """Use so much memory; more than the function has is held until something ends the process."""
    block = bytearray(megabytes << 20)
    block[::4096] = b"x" * len(block[::4096])
    if megabytes > int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]):
        time.sleep(600)


def fail(text: str) -> None:
    """Raise, as a handler does."""
    raise ValueError(text)


def leave(status: int) -> None:
    """End the runtime."""
    sys.stderr.write("about to exit\n")
    sys.stderr.flush()
    os._exit(status)


def spin(seconds: float) -> None:
    """Print a line for each tenth of a second."""
    for number in range(int(seconds * 10)):
        print("spin", number, flush=True)
        time.sleep(0.1)


def tick(_: object) -> None:
    """Count in the background from now on, so that a frozen environment is seen."""
    import threading

    def count() -> None:
        while True:
            TICKS.append(time.time())
            time.sleep(0.01)

    threading.Thread(target=count, daemon=True).start()


TICKS: list[float] = []
ACTIONS: dict[str, Any] = {
    "print": print,
    "sleep": time.sleep,
    "allocate": allocate,
    "raise": fail,
    "exit": leave,
    "spin": spin,
    "tick": tick,
    "flood": lambda size: print("x" * size),
}


def evaluate(name: str | None) -> float | None:
    """Return the longest pause between two ticks in seconds, or None."""
    if name == "pause":
        return max((after - before for before, after in itertools.pairwise(TICKS)), default=0)
    return None


def attempt_write(path: str) -> str | None:
    """Try to write a file; returns "written" or the error."""
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError as error:
        return error.strerror
    return "written"


def fill(path: str) -> str:
    """Write to a file until its disk is full; returns the size of that disk, what was written, and the error."""
    block, written = b"x" * (1 << 20), 0
    disk = os.statvfs(os.path.dirname(path))
    try:
        with open(path, "wb", buffering=0) as file:
            while written < 2 * disk.f_blocks * disk.f_frsize:
                written += file.write(block)
    except OSError as error:
        return f"{disk.f_blocks * disk.f_frsize >> 20} MiB: {written >> 20} MiB, {error.strerror}"
    finally:
        os.unlink(path)
    return "never full"


def work(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Put each record's id into the table once and pass the body on; `fail` fails a record."""
    import boto3

    table, queue = boto3.client("dynamodb"), boto3.client("sqs")
    print("batch of", len(records))
    failed = []
    for record in records:
        body = json.loads(record["body"])
        if body.get("show"):
            print(json.dumps(record))
        if body.get("fail"):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        time.sleep(body.get("sleep", 0))
        try:
            table.put_item(
                TableName=os.environ["TABLE"],
                Item={"pk": {"S": body["id"]}, "raw": {"S": record["body"]}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except table.exceptions.ConditionalCheckFailedException:
            continue
        queue.send_message(QueueUrl=os.environ["OUT"], MessageBody=record["body"])
    return {"batchItemFailures": failed}
