"""Run the handler on this host, for example in a debugger: `python -m handler --event FILE`.

Settings come from environment variables, which docs/reference/worker.md lists.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HostContext:
    """Lambda's context on a host; `ends` is on the monotonic clock."""

    ends: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "host"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the deadline, at least 0."""
        return max(0, int(1000 * (self.ends - time.monotonic())))


def main(arguments: list[str]) -> int:
    """Handle one event and print the response as JSON; returns 1 if the response is a failure, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m handler", description=__doc__)
    parser.add_argument("--event", metavar="FILE", default="-", help="JSON file; - is standard input (default)")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=300.0, help="time limit (default: 300)")
    options = parser.parse_args(arguments)
    try:
        event = _read_event(options.event)
    except (OSError, ValueError) as error:
        print(f"handler: --event {options.event}: {error}; expected a file with one JSON event", file=sys.stderr)
        return 2
    os.environ.setdefault("SCORECARD_CACHE_DIR", str(create_private_cache()))
    # Imported late, so that --help and misuse do not pay for boto3.
    from handler.app import lambda_handler
    from handler.exceptions import HandlerError

    try:
        response = lambda_handler(event, HostContext(time.monotonic() + options.timeout))
    except HandlerError as error:
        print(f"handler: {error}", file=sys.stderr)
        return 1
    print(json.dumps(response, indent=2))
    return 1 if response.get("statusCode", 200) >= 400 or response.get("batchItemFailures") else 0


def create_private_cache() -> Path:
    """Return the user's own cache folder, since others can write files in a host's /tmp; a new one if there is none.

    In Lambda, /tmp is the function's own, and settings.py names a folder in it.
    """
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "score-processor" / "worker"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home folder, or one that is read-only
        return Path(tempfile.mkdtemp(prefix="score-processor-worker-"))
    return folder


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError(f"got {text}, expected a number of seconds from 0 to 1000000")
    return seconds


def _read_event(name: str) -> Any:
    text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    return json.loads(text)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
