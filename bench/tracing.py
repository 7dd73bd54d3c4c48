"""Measure X-Ray's cost for the worker: imports in fresh processes, and a step's time with a real socket for the daemon.

python bench/tracing.py [--sdk FOLDER] [--rounds N]

FOLDER holds X-Ray's own library (`pip install --target FOLDER aws-xray-sdk`), which the project does not use. Rounds
alternate and the best of each counts; times are this machine's: read the ratios.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import site
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HEADER = "Root=1-5f84c7a1-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled="
LIBRARY = "X-Ray's library"
STEPS, BATCHES = 6, 300  # of a job alone
LOADED = "import boto3, plexus, handler.clock, handler.crash_points"  # what the handler has anyway
OURS, SDK = "import handler.tracing_header, handler.subsegments", "import aws_xray_sdk.core"


def seconds_to_import(program: str, sdk: str) -> float:
    """Return the seconds of an import in a fresh interpreter that has loaded the rest of the handler."""
    timed = f"{LOADED}\nimport time; began = time.perf_counter()\n{program}\nprint(time.perf_counter() - began)"
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{sdk}", "LAMBDA_TASK_ROOT": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", timed], env=environment, cwd=ROOT, text=True, capture_output=True, check=True
    )
    return float(done.stdout)


def steps_of(trace: Any) -> Callable[[], None]:
    """Return a function that traces a job's steps with the worker's own module."""
    from handler.crash_points import Step

    def job() -> None:
        for _ in range(STEPS):
            with trace.step(Step.SCORE, scoring_job_id="0f8fad5b-d9cb-469f-a165-70867728950e"):
                pass

    return job


def steps_of_the_sdk() -> Callable[[], None]:
    """Return a function that traces a job's steps with X-Ray's library, as it works in Lambda."""
    xray_recorder = importlib.import_module("aws_xray_sdk.core").xray_recorder

    def job() -> None:
        for _ in range(STEPS):
            with xray_recorder.in_subsegment("score") as segment:
                segment.put_annotation("scoring_job_id", "0f8fad5b-d9cb-469f-a165-70867728950e")

    return job


def microseconds(job: Callable[[], None]) -> float:
    """Return the mean time of a job in microseconds."""
    began = time.perf_counter()
    for _ in range(BATCHES):
        job()
    return (time.perf_counter() - began) / BATCHES * 1e6


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", default="", metavar="FOLDER", help="where X-Ray's own library lies")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    programs = {"ours": OURS} | ({LIBRARY: SDK} if options.sdk else {})
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, program in programs.items():
            times[name].append(seconds_to_import(program, options.sdk))
    for name, seconds in times.items():
        print(f"import of {name}: best {min(seconds) * 1000:.1f} ms, median {statistics.median(seconds) * 1000:.1f} ms")
    contestants(options.sdk, options.rounds)


def contestants(sdk: str, rounds: int) -> None:
    """Print the times and datagrams of a job's six steps: not sampled, sampled, and by the library."""
    from handler import subsegments, tracing_header

    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    daemon = subsegments.find_daemon({subsegments.ADDRESS: address})
    jobs = {
        "sampled" if sampled else "not sampled": steps_of(
            subsegments.Trace(tracing_header.parse(f"{HEADER}{sampled}"), daemon)
        )
        for sampled in (0, 1)
    }
    if sdk:
        os.environ |= {
            "LAMBDA_TASK_ROOT": str(ROOT),
            "_X_AMZN_TRACE_ID": f"{HEADER}1",
            "AWS_XRAY_DAEMON_ADDRESS": address,
        }
        site.addsitedir(sdk)
        jobs[LIBRARY] = steps_of_the_sdk()
    durations: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            durations[name].append(microseconds(job))
    for name, times in durations.items():
        print(f"{STEPS} steps of a job, {name}: best {min(times):.1f} µs, median {statistics.median(times):.1f} µs")
    print(f"datagrams of a job, sampled: {datagrams(listener, jobs['sampled'])}")
    if sdk:
        print(f"datagrams of a job, X-Ray's library: {datagrams(listener, jobs[LIBRARY])}")


def datagrams(listener: socket.socket, job: Callable[[], None]) -> str:
    """Return the number of datagrams that a job sends, and their bytes, as text."""
    listener.setblocking(False)
    for measured in (False, True):  # what was sent before is thrown away
        sizes = []
        if measured:
            job()
        with contextlib.suppress(BlockingIOError):
            while True:
                sizes.append(len(listener.recv(65_536)))
    return f"{len(sizes)}, {sum(sizes)} bytes"


if __name__ == "__main__":
    main()
