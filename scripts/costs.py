"""Sum up the cost of the function's invocations, from Lambda's reports and the worker's metrics.

score-processor costs [--hours 24]
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import click

from .aws import logs
from .aws.clients import Aws
from .aws.report import parse_report
from .command.shell import Shell
from .command.verb import verb
from .console.options import Between

HOUR_S = 3600


@dataclass(frozen=True)
class Costs:
    """Costs in US dollars: `lambda_usd` by Lambda's list price, `provider_usd` by the worker's token counts."""

    hours: float
    invocations: int
    jobs: int
    lambda_usd: float
    provider_usd: float

    @property
    def per_thousand(self) -> float | None:
        """The cost of a thousand completed jobs; None without any."""
        return 1000 * (self.lambda_usd + self.provider_usd) / self.jobs if self.jobs else None


def read_costs(aws: Aws, hours: float) -> Costs:
    """Return the costs in the function's log of the last `hours`."""
    return sum_up((event.message for event in logs.read(aws, int((time.time() - hours * HOUR_S) * 1000))), hours)


def sum_up(lines: Iterable[str], hours: float) -> Costs:
    """Sum up Lambda's REPORT lines and the worker's metric lines.

    US dollars. Lambda's part is from the billed duration and memory of each line, the providers' from what the worker
    has recorded; jobs that ran before metrics were written count nothing.
    """
    invocations, jobs, billed, provider = 0, 0, 0.0, 0.0
    for line in lines:
        if report := parse_report(line):
            invocations += 1
            billed += report.usd_per_million / 1e6
        elif (record := logs.parse_json(line)) and "_aws" in record:
            jobs += int(record.get("JobsCompleted", 0))
            provider += float(record.get("Cost", 0))
    return Costs(hours, invocations, jobs, billed, provider)


def _render(total: Costs, shell: Shell) -> None:
    show = shell.console.print
    show(f"last {total.hours:g} hours: {total.invocations} invocations, {total.jobs} completed jobs", markup=False)
    show(f"Lambda    {total.lambda_usd:.6f} USD", markup=False)
    show(f"provider  {total.provider_usd:.6f} USD", markup=False)
    if total.per_thousand is not None:
        show(f"per 1000 jobs: {total.per_thousand:.4f} USD", markup=False)
    show("excludes queues, tables and logs, which docs/reference/cost.md estimates", markup=False)


@verb(render=_render)
@click.option(
    "--hours", default=24.0, show_default=True, type=Between(0.01, 24 * 90), help="Period to sum up, in hours."
)
def main(shell: Shell, hours: float) -> Costs:
    """Show the cost of invocations and models, in total and per thousand jobs."""
    return read_costs(shell.aws, hours)
