"""Invoke the function.

score-processor invoke ['{"source": "smoke"}']
"""

from __future__ import annotations

from typing import Any

import click

from .aws.invocation import Invocation, format_payload, invoke, read_event
from .aws.report import Report
from .command.shell import Shell
from .command.verb import verb


def _render(answer: Invocation, shell: Shell) -> None:
    from .aws.logs import render

    for line in answer.log.splitlines():
        shell.print(render(line), dim=True)
    shell.print(format_payload(answer.payload), **({"fg": "red"} if answer.exit_code else {}))
    if is_idle(answer.payload):
        shell.print("no job was waiting: the event source takes jobs first; make enqueue FILE=… sends some")
    if answer.function_error:
        shell.print(f"the function failed ({answer.function_error})", fg="red")
    if answer.report:
        shell.print(summarize(answer.report, answer.version))


def is_idle(payload: Any) -> bool:
    """Return whether the answer is that of a poll that found no job."""
    body = payload.get("body") if isinstance(payload, dict) else None
    return isinstance(body, str) and '"no messages in the queue"' in body


def summarize(report: Report, version: str) -> str:
    """Format a report in two or three lines.

    The cost is for the same duration and memory, without the providers'.
    """
    init = f"init {report.init_ms:.0f} ms, " if report.init_ms is not None else "warm, "
    text = (
        f"version {version}: {init}duration {report.duration_ms:.1f} ms, billed {report.billed_ms} ms, "
        f"peak memory {report.peak_memory_mb} of {report.memory_mb} MB\n"
        f"cost of a million such invocations: {report.usd_per_million:.2f} USD"
    )
    return f"{text}\n{report.advice}" if report.advice else text


@verb(render=_render)
@click.argument("event", required=False)
@click.option("--qualifier", help="A version or alias (default: the stage's alias).")
def main(shell: Shell, event: str | None, qualifier: str | None) -> Invocation:
    """Invoke the function with EVENT (JSON or @FILE; default {}, which polls the queue for one job).

    An enabled event source takes most jobs first, so that the poll finds none. Prints the end of the log, the result,
    and Lambda's report. Exit code 1 if the function fails.
    """
    return invoke(shell.aws, read_event(event), qualifier=qualifier)
