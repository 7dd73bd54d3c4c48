"""Simulate what limits throughput at each size: a model of queue, event source, function, tables and model provider.

python bench/scale.py            the table of docs/explanation/scale.md (no AWS, a few seconds)
python bench/scale.py --check    the simulation against a real run on the local AWS, in the same minutes

The simulation is one of discrete events. A queue feeds batches to execution environments; the event source begins with
`START` of them at once and adds `PER_MINUTE` up to its limit (Lambda's documented scaling for standard queues). A batch
takes its overhead, its jobs' computing one after the other (one vCPU) and their waiting for the provider at once.
Provider and tables have a maximum rate; later requests wait.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

START, PER_MINUTE, MOST = 5, 300, 1250
ACCOUNT_CONCURRENCY = 1000  # Lambda's default quota of a region
TABLE_WRU_PER_S = 4000  # what a new on-demand table takes at once; it doubles on the highest load that it has seen
MONTH_S = 30 * 86_400
SATURATED, LONG_S = 0.95, 5.0
PEAK = 10  # the busiest hour against the month's mean


@dataclass(frozen=True)
class System:
    """Times in seconds. `cpu` and `wait` are of one job, `overhead` of one batch; limits are per second, 0 is none."""

    batch: int = 10
    concurrency: int = 500
    overhead: float = 0.05
    cpu: float = 0.006
    wait: float = 0.0
    cold: float = 1.5
    calls_per_job: int = 0
    provider_limit: float = 0.0
    wru_per_job: float = 15.0
    table_limit: float = TABLE_WRU_PER_S
    start: int = START
    per_minute: float = PER_MINUTE

    @property
    def most(self) -> int:
        """The number of batches that may run at once after scaling up."""
        return min(self.concurrency, MOST, ACCOUNT_CONCURRENCY)

    def at_once(self, now: float) -> int:
        """Return how many batches may run `now` seconds after the queue began to fill."""
        return min(self.most, self.start + int(self.per_minute * now / 60))

    def takes(self, jobs: int, *, cold: bool) -> float:
        """Return the seconds of a batch that does not wait for a shared resource."""
        return (self.cold if cold else 0.0) + self.overhead + jobs * self.cpu + self.wait


@dataclass
class Shared:
    """A resource with a maximum rate per second, granted in the order of the requests."""

    limit: float
    free_at: float = 0.0
    busy: float = 0.0

    def take(self, now: float, amount: float) -> float:
        """Reserve `amount`; return the seconds to wait for it."""
        if not self.limit:
            return 0.0
        waits = max(0.0, self.free_at - now)
        self.free_at = max(self.free_at, now) + amount / self.limit
        self.busy += amount / self.limit
        return waits


@dataclass
class Run:
    """The result of a simulation. `ages` are seconds from send to commit, `busy` the share of time at the limit."""

    done: int = 0
    ended: float = 0.0
    peak: int = 0
    ages: list[float] = field(default_factory=list)
    busy: dict[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Jobs per second, from the first send to the last commit."""
        return self.done / self.ended if self.ended else 0.0

    def age(self, share: float) -> float:
        """Return the age in seconds within which this share of the jobs was done."""
        ordered = sorted(self.ages)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def limit(self) -> str:
        """Return the exhausted resource; batches also lack concurrency if earlier ones wait for another resource."""
        return next((name for name in ("provider", "tables") if self.busy[name] > SATURATED), None) or (
            "concurrency" if self.age(0.5) > LONG_S else "nothing"
        )


def simulate(system: System, arrivals: Sequence[float], durations: Iterator[float] | None = None) -> Run:
    """Run jobs sent at these times (ascending, seconds) to their end; `durations` replaces the model of a batch."""
    run, provider, tables = Run(), Shared(system.provider_limit), Shared(system.table_limit)
    ends: list[tuple[float, int]] = []  # (when, jobs) of the batches under way
    now, sent, begun, warm = 0.0, 0, 0, 0
    while run.done < len(arrivals):
        while sent < len(arrivals) and arrivals[sent] <= now:
            sent += 1
        while begun < sent and len(ends) < system.at_once(now):
            jobs = arrivals[begun : min(sent, begun + system.batch)]
            begun += len(jobs)
            shared = (
                provider.take(now, len(jobs) * system.calls_per_job),
                tables.take(now, len(jobs) * system.wru_per_job),
            )
            takes = next(durations) if durations else system.takes(len(jobs), cold=len(ends) >= warm)
            end = now + sum(shared) + takes
            heapq.heappush(ends, (end, len(jobs)))
            warm = max(warm, len(ends))
            run.ages.extend(end - one for one in jobs)
        now = min(_events(system, ends, arrivals[sent : sent + 1], begun < sent))
        while ends and ends[0][0] <= now:
            run.done += heapq.heappop(ends)[1]
            run.ended = now
    run.peak = warm
    run.busy = {"provider": provider.busy / run.ended, "tables": tables.busy / run.ended}
    return run


def _events(
    system: System, ends: Sequence[tuple[float, int]], arrivals: Sequence[float], waiting: bool
) -> Iterator[float]:
    """Yield the times of the next events: the end of a batch, a new job, one more concurrent batch."""
    yield math.inf
    yield from arrivals
    if ends:
        yield ends[0][0]
    if waiting and len(ends) < system.most and system.per_minute:
        yield (len(ends) + 1 - system.start) * 60 / system.per_minute + 1e-9


def steady(rate: float, seconds: float) -> list[float]:
    """Return the send times of jobs at an even rate."""
    return [number / rate for number in range(max(1, int(rate * seconds)))]


@dataclass(frozen=True)
class Load:
    """The load of a month's `jobs`, of which the busiest hour has ten times its share."""

    name: str
    jobs: int

    @property
    def rate(self) -> float:
        """Jobs per second in the busiest hour."""
        return PEAK * self.jobs / MONTH_S

    def arrivals(self) -> list[float]:
        """Return the send times of ten minutes of the busiest hour, and of at least a hundred jobs."""
        return steady(self.rate, max(600.0, 100 / self.rate))


LOADS = (Load("10 thousand", 10_000), Load("1 million", 1_000_000), Load("100 million", 100_000_000))
SYSTEMS = {
    "keyword, SVM, XGBoost": System(),
    "graph, two calls of 0.8 s, 50 calls/s": System(wait=1.6, calls_per_job=2, provider_limit=50),
    "the same, 1,000 calls/s": System(wait=1.6, calls_per_job=2, provider_limit=1000),
    "the same, batches of one": System(batch=1, wait=1.6, calls_per_job=2, provider_limit=1000),
    "keyword, at most 10 batches at once": System(concurrency=10),
    "keyword, warmed tables (40,000 WRU/s)": System(table_limit=40_000),
}


def table() -> Iterator[str]:
    """Yield the lines of the table in docs/explanation/scale.md, as Markdown."""
    yield "| jobs a month | scores | jobs/s in, busiest hour | jobs/s out | p50 | p99 | batches at once | waits for |"
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for load in LOADS:
        for name, system in SYSTEMS.items():
            run = simulate(system, load.arrivals())
            yield (
                f"| {load.name} | {name} | {load.rate:.2f} | {run.per_second:.1f} | {run.age(0.5):.1f} s "
                f"| {run.age(0.99):.1f} s | {run.peak} | {run.limit()} |"
            )


def check(jobs: int, seed: int) -> int:
    """Compare the simulation with a real run, whose durations and number of environments it uses; always returns 0."""
    from bench.local_run import measure

    real = measure(jobs)
    chance = random.Random(seed)
    system = System(batch=real.batch, concurrency=real.at_once, start=real.at_once, per_minute=0, table_limit=0)

    def durations() -> Iterator[float]:
        yield from chance.sample(real.first, len(real.first))
        while True:
            yield chance.choice(real.later)

    simulated = [simulate(system, [0.0] * real.jobs, durations()).ended for _ in range(20)]
    mean = sum(simulated) / len(simulated)
    batches = len(real.first) + len(real.later)
    print(f"{real.jobs} jobs in {batches} batches, at most {real.at_once} at once")
    print(f"real      {real.seconds:.2f} s, {real.jobs / real.seconds:.1f} jobs/s")
    print(f"simulated {mean:.2f} s ({min(simulated):.2f} to {max(simulated):.2f} in 20 runs), seed {seed}")
    print(f"ratio simulated / real {mean / real.seconds:.2f}")
    return 0


def main() -> int:
    """Print the table or the comparison; return 0, or 130 if interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with a real run on the local AWS")
    parser.add_argument("--jobs", type=int, default=300, help="of the real run (default: 300)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        if options.check:
            return check(options.jobs, options.seed)
        for line in table():
            print(line, flush=True)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
