"""Our worker against a bare loop and against Powertools' idempotency, in one run on one local AWS.

python bench/worker.py [--jobs N] [--rounds N] [--json]

Throughput: batches are received from the real queue, handed to each contestant in this process as an event source
would, and deleted; rounds of all contestants alternate, and the best of each is told. Then the deployed function in the
real image: cold and warm latency, memory; and imports in fresh processes. Times are this machine's: read the ratios.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "nix")]

WARM, COLD, IMPORTS = 100, 8, 15
FLOOR, FLOOR_10, POWERTOOLS, OURS = "bare loop", "bare loop, ten threads", "Powertools", "our worker"


@dataclass(frozen=True)
class Throughput:
    """One contestant with batches of one size: the best round's jobs per second; calls and bytes for one job."""

    name: str
    batch: int
    jobs_per_s: float
    calls: float
    sent: float
    received: float


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one kind of invocation, as its caller waits for it; `inside` as Lambda reports it."""

    what: str
    count: int
    p50: float
    p99: float
    inside: float


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def throughput(aws: Any, jobs: int, rounds: int) -> list[Throughput]:
    """Every contestant with batches of ten and of one."""
    from bench import worker_contestants as contestants
    from scripts import enqueue
    from scripts._items import Item
    from scripts._seed import read_card
    from scripts.demo import TRAINED

    card, names = read_card(TRAINED), aws.stage.queues
    _idempotency_table(aws, contestants.IDEMPOTENCY)
    numbers = itertools.count()

    def ready(count: int) -> list[str]:
        items = [Item(f"bench-{next(numbers)}", "Where is my refund?", {}) for _ in range(count)]
        return [job.id for job in enqueue.seed(aws, card, items, [contestants.SCORE])]

    def stage() -> Any:
        return contestants.Stage(
            aws.endpoint,
            aws.stage.region,
            aws.stage.tables.prefix,
            aws.queue_url(names.request),
            aws.queue_url(names.response),
            aws.stage.account_key,
            card.scorecard,
        )

    makers: dict[str, Callable[[Any], Any]] = {
        FLOOR: lambda found: contestants.floor(found, 1),
        FLOOR_10: lambda found: contestants.floor(found, 10),
        POWERTOOLS: contestants.powertools,
        OURS: contestants.ours,
    }
    made = {name: (each := stage(), make(each)) for name, make in makers.items()}
    told = []
    for batch in (10, 1):
        best: dict[str, float] = dict.fromkeys(made, 0.0)
        counts = dict.fromkeys(made, (0, 0, 0))
        for turn in range(rounds + 1):  # the first warms everything and is not told
            for name, (found, handle) in made.items():
                work = ready(jobs)
                before = asdict(found.count)
                rate = len(work) / drive(aws, handle, work, batch)
                say(f"batches of {batch}, round {turn}, {name}: {rate:.0f} jobs/s")
                if turn:
                    best[name] = max(best[name], rate)
                    after = asdict(found.count)
                    counts[name] = tuple((after[key] - before[key]) / jobs for key in ("calls", "sent", "received"))
        told += [Throughput(name, batch, best[name], *counts[name]) for name in made]
    return told


def drive(aws: Any, handle: Callable[[dict[str, Any]], set[str]], jobs: list[str], batch: int) -> float:
    """Seconds from the first receive to the last delete. SystemExit when a message comes back."""
    from scripts import enqueue

    names = aws.stage.queues
    client, url, left = aws.client("sqs"), aws.queue_url(names.request), len(jobs)
    arn = f"arn:aws:sqs:{aws.stage.region}:{aws.stage.account}:{names.request}"
    enqueue.send(aws, [enqueue.body(job) for job in jobs])
    began = time.perf_counter()
    while left:
        answer = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=batch, WaitTimeSeconds=1, MessageSystemAttributeNames=["All"]
        )
        messages = answer.get("Messages", [])
        back = handle({"Records": [_record(message, arn) for message in messages]}) if messages else set()
        if back:
            raise SystemExit(f"{len(back)} of {len(messages)} messages were not worked off")
        entries = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
        if entries:
            client.delete_message_batch(QueueUrl=url, Entries=entries)
        left -= len(messages)
    took = time.perf_counter() - began
    client.purge_queue(QueueUrl=aws.queue_url(names.response))
    return took


def _record(message: dict[str, Any], arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "us-west-2",
    }


def _idempotency_table(aws: Any, name: str) -> None:
    aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def latency(aws: Any) -> tuple[list[Latency], int]:
    """Cold and warm invocations of the deployed function, and the most megabytes that one used."""
    from local_aws import control
    from local_aws.status import ask
    from scripts import enqueue, invoke
    from scripts._items import Item
    from scripts._seed import read_card
    from scripts.demo import TRAINED

    running = control.find(_name())
    assert running is not None
    peaks: list[int] = []

    def timed(event: Any) -> tuple[float, float]:
        began = time.perf_counter()
        answer = invoke.invoke(aws, event)
        took = 1000 * (time.perf_counter() - began)
        if answer.exit_code or answer.report is None:
            raise SystemExit(f"the function answered {answer.payload}")
        peaks.append(answer.report.peak_memory_mb)
        return took, answer.report.duration_ms + (answer.report.init_ms or 0)

    def cold(event: Any) -> tuple[float, float]:
        ask(running, "/_local_aws/environments/kill", {})
        invoke.invoke(
            aws, {"source": "smoke"}
        )  # Lambda notices at the next call, whose answer is the end of the process
        return timed(event)

    def job() -> None:
        items = [Item(f"latency-{time.time_ns()}", "Where is my refund?", {})]
        enqueue.send(
            aws, [enqueue.body(one.id) for one in enqueue.seed(aws, read_card(TRAINED), items, ["Mentions Refund"])]
        )

    def runs(
        what: str, count: int, one: Callable[[Any], tuple[float, float]], event: Any, first: Any = None
    ) -> Latency:
        say(f"{what}: {count} invocations")
        found = []
        for _ in range(count):
            if first is not None:
                first()
            found.append(one(event))
        outside = sorted(took for took, _ in found)
        return Latency(what, count, _at(outside, 0.5), _at(outside, 0.99), statistics.median(each for _, each in found))

    smoke = {"source": "smoke"}
    told = [runs("cold, nothing to do", COLD, cold, smoke), runs("warm, nothing to do", WARM, timed, smoke)]
    told += [runs("cold, one job", COLD, cold, {}, job), runs("warm, one job", WARM, timed, {}, job)]
    return told, max(peaks)


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def imports() -> dict[str, float]:
    """Milliseconds that an import takes in a fresh process, best of several."""
    say(f"imports: {IMPORTS} processes each")
    program = "import time; began = time.perf_counter(); import {}; print(1000 * (time.perf_counter() - began))"
    found: dict[str, float] = {}
    for _ in range(IMPORTS):
        for name in ("boto3", "handler.app", "plexus"):
            command = [sys.executable, "-c", program.format(name)]
            took = float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            found[name] = min(took, found.get(name, took))
    return found


def _name() -> str:
    from bench.local_run import NAME

    return NAME


def page(told: list[Throughput], times: list[Latency], peak: int, imported: dict[str, float]) -> str:
    """The tables, as Markdown."""
    lines = []
    for batch in (10, 1):
        rows = [one for one in told if one.batch == batch]
        floor = next(one.jobs_per_s for one in rows if one.name == FLOOR)
        title = "batches of ten" if batch == 10 else "jobs alone"
        lines += [f"| {title} | jobs/s | of the bare loop | AWS calls a job | sent, bytes | received, bytes |"]
        lines += ["|---|---:|---:|---:|---:|---:|"]
        for one in rows:
            lines.append(
                f"| {one.name} | {one.jobs_per_s:.0f} | {one.jobs_per_s / floor:.2f} | {one.calls:.1f} "
                f"| {one.sent:.0f} | {one.received:.0f} |"
            )
        lines.append("")
    lines += ["| invocation | number | p50, ms | p99, ms | inside, ms |", "|---|---:|---:|---:|---:|"]
    lines += [f"| {one.what} | {one.count} | {one.p50:.0f} | {one.p99:.0f} | {one.inside:.0f} |" for one in times]
    ratio = imported["handler.app"] / imported["boto3"]
    lines += ["", f"Memory of the environment: at most {peak} MB."]
    lines.append(
        f"Imports: boto3 {imported['boto3']:.0f} ms, the handler {imported['handler.app']:.0f} ms ({ratio:.2f} times), "
        f"plexus alone {imported['plexus']:.0f} ms."
    )
    return "\n".join(lines)


def main() -> int:
    """Command line: 0 done, 1 failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200, help="jobs of one round (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that are told (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    from bench.local_run import local_stage

    imported = imports()
    with local_stage() as aws:
        told = throughput(aws, options.jobs, options.rounds)
        times, peak = latency(aws)
    if options.json:
        rows = {"throughput": list(map(asdict, told)), "latency": list(map(asdict, times))}
        print(json.dumps({**rows, "peak_memory_mb": peak, "import_ms": imported}, indent=1))
    else:
        print(page(told, times, peak, imported))
    return 0


if __name__ == "__main__":
    sys.exit(main())
