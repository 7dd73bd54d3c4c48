"""The demo's summary on the terminal: results, accuracy, the log's end, and the checks."""

from __future__ import annotations

import time
from typing import Any

from ..aws import logs
from ..aws.clients import Aws
from ..aws.report import Report
from ..console.tables import create_grid
from .report_page import Report as Page

LOG_LINES = 12
MOST_ROWS = 12


def format_report(report: Report | None) -> str:
    """Format Lambda's report of an invocation on one line."""
    return ", ".join(f"{name} {value}" for name, value in parse_invocation(report).items()) or "no report"


def parse_invocation(report: Report | None) -> dict[str, str]:
    """Return Lambda's report of an invocation as labelled values; `init` only for a cold start."""
    if report is None:
        return {}
    init = {} if report.init_ms is None else {"init": f"{report.init_ms:.0f} ms"}
    return {
        **init,
        "duration": f"{report.duration_ms:.0f} ms",
        "billed": f"{report.billed_ms} ms",
        "peak memory": f"{report.peak_memory_mb} of {report.memory_mb} MB",
    }


def read_last_lines(aws: Aws, count: int = LOG_LINES) -> tuple[str, ...]:
    """Return the last lines of the function's log, formatted."""
    events = logs.read(aws, int((time.time() - 600) * 1000))
    return tuple(logs.render(event.message).rstrip() for event in events[-count:])


def show(console: Any, page: Page, seconds: float) -> None:
    """Print the results, the accuracy, the dead letters, the end of the log, and the checks.

    `seconds` is the duration of the whole demo, downloads included.
    """
    console.print(create_result_table(page))
    if len(page.rows) > MOST_ROWS:
        console.print(f"… {len(page.rows) - MOST_ROWS} more in the report", style="dim")
    for accuracy in page.accuracies:
        console.print(f"accuracy of {accuracy.score}: {accuracy.right} of {accuracy.total}", markup=False)
    for letter in page.dead_letters:
        console.print(f"dead letter: {letter.body!r}: {letter.reason}", markup=False)
    console.print("\nlog (last lines)", style="bold")
    for line in page.log:
        console.print(f"  {line}", style="dim", markup=False, overflow="ellipsis", no_wrap=True, soft_wrap=False)
    console.print("\nchecks", style="bold")
    for check in page.checks:
        mark, style = ("ok  ", "green") if check.is_met else ("fail", "red")
        console.print(f"  [{style}]{mark}[/{style}] {check.rule}: {check.counts}")
    console.print(
        f"\nfinished in {seconds:.1f} s; the local AWS keeps running: make logs, status, doctor, stop", markup=False
    )


def create_result_table(page: Page) -> Any:
    """Return the first results as a table, one row for each job."""
    rows = [
        (
            row.item,
            row.score,
            row.value or row.status,
            row.label or "",
            "" if row.confidence is None else f"{row.confidence:.2f}",
            row.delivery,
            row.explanation,
        )
        for row in page.rows[:MOST_ROWS]
    ]
    names = ("item", "score", "value", "label", "confidence", "delivery", "explanation")
    return create_grid(names, rows, title="results", right=("confidence",))
