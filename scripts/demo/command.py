"""Run the demo.

score-processor demo
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import click

from ..checkout import ROOT
from ..command.shell import Shell
from ..command.verb import verb
from ..console.errors import OperationFailed
from ..console.pages import write_page
from . import report_page, summary
from .report_page import Report
from .steps import Demo, run_demo

PAGE = ROOT / "build" / "demo.html"
BEGAN = "SCORE_PROCESSOR_DEMO_BEGAN"


def read_start() -> float:
    """Return when the demo began, in seconds since 1970: with `make demo` before its downloads and its environment."""
    began = os.environ.get(BEGAN, "")
    return float(began) if began.isdecimal() else time.time()


@contextlib.contextmanager
def stop_when_interrupted(shell: Shell) -> Iterator[None]:
    """Stop the local AWS on Ctrl-C, unless it ran before the demo."""
    from local_aws import control

    ran_before = control.find() is not None
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the cleanup
        if not ran_before and control.stop():
            shell.say("stopped the local AWS that the demo had started")
        raise


@verb()
def main(shell: Shell) -> Report:
    """Build, deploy to a local AWS, score the examples, and show the results.

    Starts the local AWS and leaves it running; `make stop` stops it. Exit code 1 if one of the final checks fails.
    """
    if shell.endpoint_url:
        raise click.UsageError("the demo starts its own local AWS: remove --endpoint-url")
    if not shell.stage.is_local:
        raise OperationFailed(f"demo: got stage {shell.stage.name}, expected local", "make demo STAGE=local")
    began = read_start()
    with stop_when_interrupted(shell):
        report = run_demo(Demo(shell))
    path = write_page(report_page.render(report), PAGE)
    summary.show(shell.console, report, time.time() - began)
    shell.console.print(f"report: {path}", markup=False)
    return report
