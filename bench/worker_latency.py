"""Cold and warm invocations of the deployed function, for bench/worker.py."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.local_run import NAME

WARM, COLD = 400, 8
SMOKE = {"source": "smoke"}
Timed = Callable[[Any], tuple[float, float]]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one kind of invocation as its caller waits; `inside` is the median that Lambda reports."""

    what: str
    count: int
    p50: float
    p99: float
    inside: float


@dataclass
class Invocations:
    """The function of a stage; `peaks` are the megabytes that its invocations used."""

    aws: Any
    say: Callable[[str], None]
    peaks: list[int] = field(default_factory=list)

    def run(self) -> tuple[list[Latency], int]:
        """Return the latencies, and the peak memory of an environment in MB."""
        output = [
            self._runs("cold, nothing to do", COLD, self._cold, SMOKE),
            self._runs("warm, nothing to do", WARM, self._time, SMOKE),
            self._runs("cold, one job", COLD, self._cold, {}),
            self._runs("warm, one job", WARM, self._time, {}),
        ]
        return output, max(self.peaks)

    def _runs(self, what: str, count: int, invoke: Timed, event: Any) -> Latency:
        self.say(f"{what}: {count} invocations")
        runs = []
        for _ in range(count):
            if event is not SMOKE:
                self._send_job()
            runs.append(invoke(event))
        outside = sorted(took for took, _ in runs)
        return Latency(what, count, _at(outside, 0.5), _at(outside, 0.99), statistics.median(each for _, each in runs))

    def _time(self, event: Any) -> tuple[float, float]:
        """Invoke; return the milliseconds that the caller waits, and those that Lambda reports."""
        from scripts.aws import invocation

        began = time.perf_counter()
        answer = invocation.invoke(self.aws, event)
        took = 1000 * (time.perf_counter() - began)
        if answer.exit_code or answer.report is None:
            raise SystemExit(f"the function answered {answer.payload}")
        self.peaks.append(answer.report.peak_memory_mb)
        return took, answer.report.duration_ms + (answer.report.init_ms or 0)

    def _cold(self, event: Any) -> tuple[float, float]:
        from local_aws import control
        from local_aws.status import ask
        from scripts.aws import invocation

        running = control.find(NAME)
        assert running is not None
        ask(running, "/_local_aws/environments/kill", {})
        invocation.invoke(self.aws, SMOKE)  # Lambda notices at the next call, whose answer is the end of the process
        return self._time(event)

    def _send_job(self) -> None:
        from scripts.demo.steps import TRAINED
        from scripts.jobs import sending
        from scripts.jobs.item_files import Item
        from scripts.jobs.seeding import read_card

        items = [Item(f"latency-{time.time_ns()}", "Where is my refund?", {})]
        jobs = sending.seed(self.aws, read_card(TRAINED), items, ["Mentions Refund"])
        sending.send(self.aws, [sending.create_body(one.id) for one in jobs])


def _at(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return ordered[math.ceil(share * len(ordered)) - 1]
