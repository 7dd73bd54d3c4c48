"""Cold and warm invocations of the deployed function, for bench/worker.py."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.local_run import NAME

WARM, COLD = 400, 8
SMOKE = {"source": "smoke"}
Timed = Callable[[Any], tuple[float, float]]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one kind of invocation as its caller waits; `inside` is the median that Lambda reports.

    `processor_*` are of the processor's time of the local AWS and the environments, which other work on the machine
    changes less.
    """

    what: str
    count: int
    p50: float
    p99: float
    inside: float
    processor_p50: float
    processor_p99: float


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
            runs.append(self._measure(invoke, event))
        outside, inside, processor = (sorted(column) for column in zip(*runs, strict=True))
        return Latency(
            what,
            count,
            _at(outside, 0.5),
            _at(outside, 0.99),
            statistics.median(inside),
            _at(processor, 0.5),
            _at(processor, 0.99),
        )

    def _measure(self, invoke: Timed, event: Any) -> tuple[float, float, float]:
        """Invoke; return what `invoke` does, and the milliseconds of processor time of the local AWS and its functions.

        Of an environment that has begun since, all its time is the invocation's.
        """
        running, environments = self._list_processes()
        before = _processor_ms([running, *environments])
        took = invoke(event)
        after = _processor_ms([running])  # before the next question costs time
        after |= _processor_ms(self._list_processes()[1])
        return *took, sum(spent - before.get(thread, 0.0) for thread, spent in after.items())

    def _list_processes(self) -> tuple[int, list[int]]:
        """Return the pids of the local AWS and of its environments' processes."""
        from local_aws import control
        from local_aws.status import ask

        running = control.find(NAME)
        assert running is not None
        environments = ask(running, "/_local_aws/status")["environments"]
        return running.pid, [pid for environment in environments for pid in environment["pids"]]

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


def _processor_ms(pids: Iterable[int]) -> dict[str, float]:
    """Return the processor time in ms of each thread of processes."""
    spent = {}
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):  # it has ended
                spent[str(thread)] = int(thread.read_text().split()[0]) / 1e6
    return spent


def _at(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return ordered[math.ceil(share * len(ordered)) - 1]
