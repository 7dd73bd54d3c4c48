"""Command line of the local AWS.

python3 -m local_aws start [--name NAME] [--port PORT] [--json]
python3 -m local_aws stop [--name NAME | --all] [--json]
python3 -m local_aws status [--name NAME] [--json]
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence

from local_aws import control, instance, ports
from local_aws.exceptions import LocalAwsError
from local_aws.status import describe, describe_guarantees, read_status
from nix.command import command


@command("local AWS", LocalAwsError)
def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Return 0 on success, 1 on failure, 2 on misuse, 130 after Ctrl-C."""
    options = create_parser().parse_args(arguments)
    return VERBS[options.verb](options)


def create_parser() -> argparse.ArgumentParser:
    """Build the argument parser."""
    root = argparse.ArgumentParser(prog="score-processor local", description="Start, stop or inspect the local AWS.")
    verbs = root.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("start", "start an instance, or report that it is running"),
        ("stop", "stop an instance and everything it started"),
        ("status", "list ports, engine, functions, containers and orphans"),
    ):
        subparser = verbs.add_parser(verb, help=text, description=text)
        subparser.add_argument("--name", help="the instance (default: $LOCAL_AWS_NAME, else default)")
        subparser.add_argument("--json", action="store_true", help="print JSON")
        if verb == "start":
            subparser.add_argument("--port", type=_port, help="the gateway's port; 0: any free one")
        if verb == "stop":
            subparser.add_argument("--all", action="store_true", help="every instance of this checkout")
    return root


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > ports.HIGHEST:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a port number from 0 to {ports.HIGHEST}")
    return int(text)


def _start(options: argparse.Namespace) -> int:
    began = time.monotonic()
    before = control.find(options.name)
    started = control.start(options.name, options.port or None)
    took = time.monotonic() - began
    if options.json:
        print(json.dumps({**dataclasses.asdict(started), "seconds": round(took, 2)}))
        return 0
    where = started.endpoint.removeprefix("http://")
    if before == started:
        print(f"already running on {where} ({started.engine})")
    else:
        print(f"ready on {where} in {took:.1f} s ({started.engine})")
    if started.engine == "plain":
        print(f"engine plain: {describe_guarantees(started)}")
    return 0


def _stop(options: argparse.Namespace) -> int:
    names = instance.list_names() if options.all else [options.name or instance.read_default_name()]
    stopped = {name: control.stop(name) for name in names}
    if options.json:
        print(json.dumps({"stopped": [name for name, was in stopped.items() if was]}))
    else:
        for name, was in stopped.items():
            print(f"local AWS {name}: {'stopped' if was else 'not running'}")
    return 0


def _status(options: argparse.Namespace) -> int:
    current = read_status(options.name)
    print(json.dumps(current.as_json()) if options.json else describe(current))
    return 0 if current.instance else 1


VERBS = {"start": _start, "stop": _stop, "status": _status}

if __name__ == "__main__":
    sys.exit(main())
