"""Our worker against a bare loop and against Powertools' idempotency, in one run on one local AWS.

python bench/worker.py [--jobs N] [--rounds N] [--json]

Throughput: batches are received from the real queue, handed to each contestant in this process as an event source
would, and deleted; contestants alternate, and each one's best round is reported. Then the deployed function in the
real image: cold and warm latency, memory; and imports in fresh processes. Times are this machine's: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import say

ROOT = Path(__file__).resolve().parents[1]

if TYPE_CHECKING:
    from bench.worker_latency import Latency
    from bench.worker_rates import Call, Throughput

IMPORTS = 15  # processes


def imports() -> dict[str, float]:
    """Return the milliseconds of each import in a fresh process, the best of IMPORTS."""
    say(f"imports: {IMPORTS} processes each")
    program = "import time; began = time.perf_counter(); import {}; print(1000 * (time.perf_counter() - began))"
    seconds: dict[str, float] = {}
    for _ in range(IMPORTS):
        for name in ("boto3", "handler.app", "plexus"):
            command = [sys.executable, "-c", program.format(name)]
            took = float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            seconds[name] = min(took, seconds.get(name, took))
    return seconds


def rates(output: list[Throughput]) -> Iterator[str]:
    """Yield the lines of the tables of throughput."""
    from bench.worker_rates import FLOOR

    for batch, title in (10, "batches of ten"), (1, "jobs alone"):
        rows = [row for row in output if row.batch == batch]
        floor = next(row.jobs_per_s for row in rows if row.name == FLOOR)
        head = f"{title} | jobs/s | of the bare loop | AWS calls a job | sent, bytes | received, bytes"
        yield f"| {head} | processor, ms a job | of the local AWS |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        for row in rows:
            yield (
                f"| {row.name} | {row.jobs_per_s:.0f} | {row.jobs_per_s / floor:.2f} | {row.calls:.1f} "
                f"| {row.sent:.0f} | {row.received:.0f} | {row.here:.1f} | {row.server:.1f} |"
            )
        yield ""


def calls_alone(calls: list[Call]) -> Iterator[str]:
    """Yield the lines of the table of single jobs, call by call."""
    from bench.worker_rates import FLOOR, OURS, POWERTOOLS

    yield "| jobs alone: each call | a job | client, ms | waiting, ms |"
    yield "|---|---:|---:|---:|"
    for call in calls:
        yield f"| {call.name}: {call.operation} | {call.number:.0f} | {call.client:.2f} | {call.waiting:.2f} |"
    for name in (FLOOR, POWERTOOLS, OURS):
        selected = [call for call in calls if call.name in ("all", name)]
        client, waiting = (
            sum(call.number * getattr(call, part) for call in selected) for part in ("client", "waiting")
        )
        yield f"| {name}: the sum | {sum(call.number for call in selected):.0f} | {client:.1f} | {waiting:.1f} |"


def page(
    output: list[Throughput], calls: list[Call], times: list[Latency], peak: int, imported: dict[str, float]
) -> str:
    """Format the results as Markdown."""
    lines = [*rates(output), *calls_alone(calls), ""]
    lines.append("| invocation | number | p50, ms | p99, ms | inside, ms | processor: p50, ms | p99, ms |")
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    lines += [
        f"| {one.what} | {one.count} | {one.p50:.0f} | {one.p99:.0f} | {one.inside:.0f} "
        f"| {one.processor_p50:.0f} | {one.processor_p99:.0f} |"
        for one in times
    ]
    ratio = imported["handler.app"] / imported["boto3"]
    lines += ["", f"Memory of the environment: at most {peak} MB."]
    lines.append(
        f"Imports: boto3 {imported['boto3']:.0f} ms, the handler {imported['handler.app']:.0f} ms ({ratio:.2f} times), "
        f"plexus alone {imported['plexus']:.0f} ms."
    )
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark, and print its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200, help="jobs of one round (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to measure (default: 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    from bench.local_run import local_stage
    from bench.worker_latency import Invocations
    from bench.worker_rates import Race

    imported = imports()
    with local_stage() as aws:
        output, calls = Race(aws, options.jobs, options.rounds, say).run()
        times, peak = Invocations(aws, say).run()
    if options.json:
        rows = {"throughput": list(map(asdict, output)), "calls": list(map(asdict, calls))}
        rows |= {"latency": list(map(asdict, times))}
        print(json.dumps({**rows, "peak_memory_mb": peak, "import_ms": imported}, indent=1))
    else:
        print(page(output, calls, times, peak, imported))
    return 0


if __name__ == "__main__":
    sys.exit(main())
