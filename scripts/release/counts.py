"""Count a version's calls and jobs during a canary, and compare them with another version's."""

from __future__ import annotations

from dataclasses import dataclass

from ..console.text import pluralize

FEW, TIMES = 3, 2
ENOUGH = 10
"""Durations and costs are compared only if each version has so many calls or jobs; fewer are not evidence."""
SLOWER_MS = 100.0
"""A smaller difference of durations is the machine's, not the image's."""


@dataclass(frozen=True)
class Counts:
    """Counts of one version: its invocations, the failed ones, jobs without a result, and jobs with one.

    `billed_ms` is the mean per call, `cost` what the models of all jobs cost, in US dollars.
    """

    calls: int = 0
    failed: int = 0
    jobs: int = 0
    billed_ms: float = 0.0
    completed: int = 0
    cost: float = 0.0

    def __str__(self) -> str:
        price = f", {self.cost_per_job:.6f} USD per job" if self.cost else ""
        lost = pluralize(self.jobs, "job")
        return f"{pluralize(self.calls, 'call')}, {self.failed} failed, {lost} without a result{price}"

    @property
    def lost_share(self) -> float:
        """The share of jobs without a result; of calls, if the log names fewer jobs than calls."""
        return self.jobs / max(1, self.calls, self.jobs + self.completed)

    @property
    def cost_per_job(self) -> float:
        """The cost of the models for each job with a result, in US dollars."""
        return self.cost / max(1, self.completed)

    def find_problem(self, other: Counts) -> str:
        """Return why this version did worse than `other`; empty if it did not.

        It did if an invocation failed, if more than twice the share of its jobs ended without a result, or if its calls
        are billed for more than twice the time, or its jobs cost more than twice as much.
        """
        if self.failed or (self.jobs >= FEW and self.lost_share > TIMES * other.lost_share):
            return f"{self}, against {other}"
        slower = self.billed_ms > max(TIMES * other.billed_ms, other.billed_ms + SLOWER_MS)
        if min(self.calls, other.calls) >= ENOUGH and slower:
            return f"{self.billed_ms:.0f} ms billed per call, against {other.billed_ms:.0f} ms"
        # Jobs that cost nothing before may be of scores without a model: that is another mix, not another image.
        if min(self.completed, other.completed) >= ENOUGH and self.cost_per_job > TIMES * other.cost_per_job > 0:
            return f"{self.cost_per_job:.6f} USD per job, against {other.cost_per_job:.6f} USD"
        return ""
