"""What the demo shows on the terminal at its end."""

from __future__ import annotations

import time
from typing import Any

from . import _logs
from ._aws import Aws
from ._grid import grid
from ._page import Report as Page
from ._report import Report

LOG_LINES = 12
SHOWN = 12


def reported(report: Report | None) -> str:
    """One line of what Lambda reports of an invocation."""
    return ", ".join(f"{name} {value}" for name, value in invocation(report).items()) or "no report"


def invocation(report: Report | None) -> dict[str, str]:
    """What Lambda reports of an invocation, for people; the init only where there was one."""
    if report is None:
        return {}
    init = {} if report.init_ms is None else {"init": f"{report.init_ms:.0f} ms"}
    return {
        **init,
        "duration": f"{report.duration_ms:.0f} ms",
        "billed": f"{report.billed_ms} ms",
        "peak memory": f"{report.peak_memory_mb} of {report.memory_mb} MB",
    }


def last_lines(aws: Aws, count: int = LOG_LINES) -> tuple[str, ...]:
    """The last lines of the function's log, readable."""
    events = _logs.read(aws, int((time.time() - 600) * 1000))
    return tuple(_logs.render(event.message).rstrip() for event in events[-count:])


def show(console: Any, page: Page, seconds: float) -> None:
    """Print results, accuracy, the poison, the log's end and what must hold."""
    console.print(results(page))
    if len(page.rows) > SHOWN:
        console.print(f"… and {len(page.rows) - SHOWN} more in the report", style="dim")
    for accuracy in page.accuracies:
        console.print(f"{accuracy.score}: {accuracy.right} of {accuracy.total} equal the label", markup=False)
    for letter in page.dead_letters:
        console.print(f"dead letter: {letter.body!r}: {letter.reason}", markup=False)
    console.print("\nthe last lines of the log", style="bold")
    for line in page.log:
        console.print(f"  {line}", style="dim", markup=False, overflow="ellipsis", no_wrap=True, soft_wrap=False)
    console.print("\nwhat must hold", style="bold")
    for check in page.checks:
        mark, style = ("holds ", "green") if check.holds else ("BROKEN", "red")
        console.print(f"  [{style}]{mark}[/{style}] {check.rule} {check.found}")
    console.print(
        f"\nall of it in {seconds:.1f} s; the local AWS goes on: make invoke, logs, status, stop", markup=False
    )


def results(page: Page) -> Any:
    """The first results as a table; one item of each score side by side would hide which way a job came."""
    rows = [
        (
            row.item,
            row.score,
            row.value or row.status,
            row.label or "",
            "" if row.confidence is None else f"{row.confidence:.2f}",
            row.way,
            row.explanation,
        )
        for row in page.rows[:SHOWN]
    ]
    names = ("item", "score", "value", "label", "confidence", "came by", "explanation")
    return grid(names, rows, title="results, read back from DynamoDB", right=("confidence",))
