"""A page of what runs now, for this machine only: it looks, and changes nothing.

python -m scripts.dashboard [--port 8765] [--json] [--html FILE]
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from .._aws import clients
from .._command import Shell, verb
from .._errors import NotRunning
from . import page, server
from .connection import Connection
from .panels import board
from .values import Snapshot

PATIENCE_S = 60.0


@verb(name="dashboard")
@click.option("--port", type=click.IntRange(1, 65535), help="Answer on this port.  [default: 8765, or a free one]")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the page once, to a file, and end."
)
def main(shell: Shell, port: int | None, html: Path | None) -> Snapshot | None:
    """Serve a page of queues, jobs, results, deploys, errors and latency on 127.0.0.1; with --json print it once."""
    connection = Connection(shell.stage, shell.endpoint_url)
    try:
        clients(shell.stage, shell.endpoint_url)
    except NotRunning as error:
        shell.say(f"{error.problem}: the page will say so, and show it when it is there ({error.remedy})")
    panels = board(connection)
    if html is not None:
        found = panels.snapshot(PATIENCE_S)
        text = page.page(found, shell.stage.queues.visibility_timeout_s, static=True)
        shell.say(f"page: {page.write(text, html)}")
        return found
    if shell.as_json:
        return panels.snapshot(PATIENCE_S)
    _serve(server.listen(panels, port), shell)
    return None


def _serve(made: server.Server, shell: Shell) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    click.echo(made.address)
    shell.say(f"stage {shell.stage.name}, read only, for this machine only; Ctrl-C ends it")
    server.serve(made, ended)


if __name__ == "__main__":
    main()
