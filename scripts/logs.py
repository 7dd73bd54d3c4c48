"""Show and follow the function's log, with JSON lines made readable.

python -m scripts.logs [--no-follow] [--since 10m] [--level ERROR] [--job ID] [--grep TEXT]
"""

from __future__ import annotations

import re
import time
from datetime import datetime

import click

from . import _logs
from ._command import Shell, print_json, verb
from ._errors import NotFound
from ._logs import Event, Follower, Wanted

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
STYLES = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow"}


def parse_since(text: str, now_s: float) -> int:
    """Return the start of `10m`, `2h`, `1d` ago, or of an ISO 8601 time, in milliseconds since 1970, from 0 on."""
    found = re.fullmatch(r"(\d{1,12})([smhd])", text)
    if found:
        return max(0, int((now_s - int(found.group(1)) * UNITS_S[found.group(2)]) * 1000))
    try:
        return max(0, int(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise click.UsageError(f"{text!r} is not a time; write 90s, 10m, 2h, 1d or 2026-01-31T12:00") from None


def line(event: Event) -> str:
    """Return an event with its local time."""
    clock = datetime.fromtimestamp(event.timestamp / 1000).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{clock} {_logs.render(event.message)}"


def style(message: str) -> str:
    """Return how a line is coloured."""
    record = _logs.parsed(message)
    if record is None:
        return "dim" if message.startswith(("START ", "END ", "REPORT ", "INIT_")) else ""
    return STYLES.get(str(record.get("level", "")).upper(), "")


def newest_stream(events: list[Event]) -> list[Event]:
    """Return the events of the stream that was written last."""
    return [event for event in events if event.stream == events[-1].stream] if events else []


def _show(event: Event, shell: Shell) -> None:
    if shell.as_json:
        print_json(event, indent=None)
    else:
        shell.console.print(line(event), style=style(event.message), markup=False)


@verb()
@click.option("--follow/--no-follow", default=True, help="Go on until Ctrl-C, or end with what is there.")
@click.option("--since", default="10m", show_default=True, help="10m, 2h, 1d ago, or a time.")
@click.option("--level", type=click.Choice(_logs.LEVELS, case_sensitive=False), help="From this level on.")
@click.option("--job", default="", help="Only lines that name this scoring job.")
@click.option("--grep", "text", default="", help="Only lines with this text.")
@click.option("--latest", is_flag=True, help="Only the stream that was written last; ends there.")
def main(shell: Shell, follow: bool, since: str, level: str | None, job: str, text: str, latest: bool) -> None:
    """Show the function's log and follow it; with --json one event on each line."""
    start = parse_since(since, time.time())
    follower = Follower(shell.aws, start)
    wanted = Wanted((level or "").upper(), job, text)
    events = _first(follower, shell, follow)
    found = [event for event in (newest_stream(events) if latest else events) if wanted(event.message)]
    for event in found:
        _show(event, shell)
    if not follow or latest:
        if not found:
            shell.say(f"no such line since {since}; --since 2h (make: SINCE=2h) looks further back")
        return
    for event in follower.follow(0.3 if shell.stage.is_local else 1.5):
        if wanted(event.message):
            _show(event, shell)


def _first(follower: Follower, shell: Shell, follow: bool) -> list[Event]:
    try:
        return follower.read()
    except NotFound:
        if not follow:
            raise
        shell.say(f"no log group {shell.stage.log_group} yet; waiting for the first invocation")
    while True:
        time.sleep(1)
        try:
            return follower.read()
        except NotFound:
            continue


if __name__ == "__main__":
    main()
