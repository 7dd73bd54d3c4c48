"""Print and follow the function's log.

score-processor logs [--no-follow] [--since 10m] [--level ERROR] [--job ID] [--grep TEXT]
"""

from __future__ import annotations

import time
from datetime import datetime

import click

from .aws import logs
from .aws.logs import Event, Follower, LineFilter
from .command.shell import Shell
from .command.verb import verb
from .console.errors import NotFound
from .console.interrupts import end_by_ctrl_c
from .console.options import parse_since
from .console.output import print_json

STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}


def format_line(event: Event) -> str:
    """Format an event with its local time."""
    clock = datetime.fromtimestamp(event.timestamp / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{clock} {logs.render(event.message)}"


def choose_style(message: str) -> str:
    """Return the style of a line."""
    if result := STYLES.get(logs.find_level(message)):
        return result
    return "dim" if message.startswith(("START ", "END ", "REPORT ", "INIT_")) else ""


def select_newest_stream(events: list[Event]) -> list[Event]:
    """Return the events of the most recent log stream."""
    return [event for event in events if event.stream == events[-1].stream] if events else []


def _show(event: Event, shell: Shell) -> None:
    if shell.as_json:
        print_json(event, indent=None)
    else:
        shell.console.print(format_line(event), style=choose_style(event.message), markup=False)


@verb()
@click.option(
    "--follow/--no-follow", default=True, help="Follow the log until Ctrl-C, or print the existing lines and exit."
)
@click.option("--since", default="10m", show_default=True, help="Start: 10m, 2h, 1d ago, or an ISO 8601 time.")
@click.option(
    "--level", type=click.Choice(logs.LEVELS, case_sensitive=False), help="Only lines of this level or above."
)
@click.option("--job", default="", help="Only lines that name this scoring job.")
@click.option("--grep", "text", default="", help="Only lines that contain this text.")
@click.option("--latest", is_flag=True, help="Print only the most recent log stream, and exit.")
def main(shell: Shell, follow: bool, since: str, level: str | None, job: str, text: str, latest: bool) -> None:
    """Print and follow the function's log, with JSON lines formatted; with --json one event per line."""
    start = parse_since(since, time.time())  # misuse is reported before anything is asked
    follower = Follower(shell.aws, start)
    wanted = LineFilter((level or "").upper(), job, text)
    if follow and not latest:
        shell.say(
            f"following {shell.stage.log_group}: lines since {since}, then new ones as they arrive; Ctrl-C ends it"
        )
        with end_by_ctrl_c():
            _follow(follower, wanted, shell)
        return
    events = follower.read()
    matching = [event for event in (select_newest_stream(events) if latest else events) if wanted(event.message)]
    for event in matching:
        _show(event, shell)
    if not matching:
        shell.say(f"no matching lines since {since}; to search further back: --since 2h (make: SINCE=2h)")


def _follow(follower: Follower, wanted: LineFilter, shell: Shell) -> None:
    """Print matching lines endlessly; before the first invocation there is no log, which is waited for."""
    waited = False
    while True:
        try:
            for event in follower.follow(0.3 if shell.stage.is_local else 1.5):
                if wanted(event.message):
                    _show(event, shell)
        except NotFound:
            if not waited:
                shell.say(f"no log group {shell.stage.log_group} yet: waiting for the first invocation")
            waited = True
            time.sleep(1)
