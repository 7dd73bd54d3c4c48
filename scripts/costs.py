"""What the function's invocations cost, in all and for a thousand jobs: from Lambda's reports and the worker's metrics.

python -m scripts.costs [--hours 24]
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import click

from . import _logs
from ._aws import Aws
from ._command import Shell, verb
from ._options import Between
from ._report import parse_report

HOUR_S = 3600


@dataclass(frozen=True)
class Costs:
    """US dollars of a time: `lambda_usd` by Lambda's list price, `provider_usd` as the worker counted tokens."""

    hours: float
    invocations: int
    jobs: int
    lambda_usd: float
    provider_usd: float

    @property
    def per_thousand(self) -> float | None:
        """Dollars for a thousand jobs that were completed; None where none was."""
        return 1000 * (self.lambda_usd + self.provider_usd) / self.jobs if self.jobs else None


def costs(aws: Aws, hours: float) -> Costs:
    """Read the function's log of so many hours."""
    return count((event.message for event in _logs.read(aws, int((time.time() - hours * HOUR_S) * 1000))), hours)


def count(lines: Iterable[str], hours: float) -> Costs:
    """Sum up REPORT lines and the worker's metric lines."""
    invocations, jobs, billed, provider = 0, 0, 0.0, 0.0
    for line in lines:
        if report := parse_report(line):
            invocations += 1
            billed += report.usd_per_million / 1e6
        elif (told := _logs.parsed(line)) and "_aws" in told:
            jobs += int(told.get("JobsCompleted", 0))
            provider += float(told.get("Cost", 0))
    return Costs(hours, invocations, jobs, billed, provider)


def _render(found: Costs, shell: Shell) -> None:
    show = shell.console.print
    show(f"{found.invocations} invocations, {found.jobs} jobs completed in {found.hours:g} hours", markup=False)
    show(f"Lambda    {found.lambda_usd:.6f} USD", markup=False)
    show(f"provider  {found.provider_usd:.6f} USD", markup=False)
    if found.per_thousand is not None:
        show(f"a thousand jobs: {found.per_thousand:.4f} USD", markup=False)
    show("queues, tables and logs are not in it: docs/cost.md estimates them", markup=False)


@verb(render=_render)
@click.option("--hours", default=24.0, show_default=True, type=Between(0.01, 24 * 90), help="How far back.")
def main(shell: Shell, hours: float) -> Costs:
    """Show what invocations and models cost, from the function's log."""
    return costs(shell.aws, hours)


if __name__ == "__main__":
    main()
