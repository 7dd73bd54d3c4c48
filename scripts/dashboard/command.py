"""Serve the dashboard on this machine.

score-processor dashboard [--port 8765] [--json] [--html FILE]
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from ..aws.clients import create_clients
from ..command.shell import Shell
from ..command.verb import verb
from ..console.errors import NotRunning
from ..console.interrupts import end_by_ctrl_c
from ..console.pages import write_page
from . import page, server
from .connection import Connection
from .panels import create_board
from .values import Snapshot

PATIENCE_S = 60.0  # a page that is written once has no second chance


@verb(name="dashboard")
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: 8765, or a free one]")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to a file and exit.")
def main(shell: Shell, port: int | None, html: Path | None) -> Snapshot | None:
    """Serve a read-only dashboard of the stage on 127.0.0.1; with --json print its values once.

    It shows queues, jobs, results, deploys, errors and latency.
    """
    connection = Connection(shell.stage, shell.endpoint_url)
    try:
        create_clients(shell.stage, shell.endpoint_url)
    except NotRunning as error:
        shell.say(f"{error.problem}: the dashboard waits for it ({error.remedy})")
    panels = create_board(connection)
    if html is not None:
        snapshot = panels.take_snapshot(PATIENCE_S)
        text = page.render_page(snapshot, shell.stage.queues.visibility_timeout_s, static=True)
        shell.say(f"page: {write_page(text, html)}")
        return snapshot
    if shell.as_json:
        return panels.take_snapshot(PATIENCE_S)
    _serve(server.listen(panels, port), shell)
    return None


def _serve(listener: server.Server, shell: Shell) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    click.echo(listener.address)
    shell.say(f"stage {shell.stage.name}, read-only, on this machine only; Ctrl-C ends it")
    with end_by_ctrl_c():
        server.serve(listener, ended)
