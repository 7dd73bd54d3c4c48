"""The handler on this host, for a debugger: `python -m handler --event FILE`; settings come from the environment.

docs/worker.md lists them.
"""

import argparse
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HostContext:
    """Lambda's context where there is no Lambda."""

    ends: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "host"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline that was asked for; never less than 0."""
        return max(0, int(1000 * (self.ends - time.monotonic())))


def main(arguments: list[str]) -> int:
    """Handle one event and print the answer as JSON; 1 where it tells of a failure, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m handler", description=__doc__)
    parser.add_argument("--event", metavar="FILE", default="-", help="a JSON file; - is standard input (default)")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=300.0, help="for the invocation (300)")
    options = parser.parse_args(arguments)
    try:
        event = _event(options.event)
    except (OSError, ValueError) as error:
        print(f"handler: --event {options.event}: {error}; expected a file with one JSON event", file=sys.stderr)
        return 2
    from handler.app import lambda_handler
    from handler.exceptions import HandlerError

    try:
        answer = lambda_handler(event, HostContext(time.monotonic() + options.timeout))
    except HandlerError as error:
        print(f"handler: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2))
    return 1 if answer.get("statusCode", 200) >= 400 or answer.get("batchItemFailures") else 0


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 0 to a million")
    return seconds


def _event(name: str) -> Any:
    text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    return json.loads(text)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
