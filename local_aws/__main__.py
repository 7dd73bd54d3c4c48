"""The local AWS on the command line.

python3 -m local_aws start [--name NAME] [--port PORT] [--json]
python3 -m local_aws stop [--name NAME | --all] [--json]
python3 -m local_aws status [--name NAME] [--json]
"""

import argparse
import dataclasses
import json
import signal
import sys
import time
from types import FrameType

from local_aws import control, instance, ports
from local_aws.exceptions import LocalAwsError
from local_aws.status import describe, promises, status


def main(arguments: list[str] | None = None) -> int:
    """Run one verb: exit code 0 done, 1 failed, 2 misused, 130 interrupted."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return VERBS[options.verb](options)
    except LocalAwsError as error:
        print(f"local AWS: {error}", file=sys.stderr)
    except OSError as error:
        print(f"local AWS: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="python -m local_aws", description="Start, stop and look at a local AWS.")
    verbs = root.add_subparsers(dest="verb", required=True)
    for verb, text in (
        ("start", "start an instance, or say that it runs"),
        ("stop", "stop an instance and all that it started"),
        ("status", "tell ports, engine, functions, containers and orphans"),
    ):
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("--name", help="the instance (default: $LOCAL_AWS_NAME, else default)")
        one.add_argument("--json", action="store_true", help="answer in JSON")
        if verb == "start":
            one.add_argument("--port", type=_port, help="the gateway's port; 0: any free one")
        if verb == "stop":
            one.add_argument("--all", action="store_true", help="every instance of this checkout")
    return root


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > ports.HIGHEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: expected a number, 0 to {ports.HIGHEST}")
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
        print(f"engine plain: {promises(started)}")
    return 0


def _stop(options: argparse.Namespace) -> int:
    names = instance.names() if options.all else [options.name or instance.default_name()]
    stopped = {name: control.stop(name) for name in names}
    if options.json:
        print(json.dumps({"stopped": [name for name, was in stopped.items() if was]}))
    else:
        for name, was in stopped.items():
            print(f"{name}: {'stopped' if was else 'not running'}")
    return 0


def _status(options: argparse.Namespace) -> int:
    told = status(options.name)
    print(json.dumps(told.as_json()) if options.json else describe(told))
    return 0 if told.instance else 1


def _terminated(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


VERBS = {"start": _start, "stop": _stop, "status": _status}

if __name__ == "__main__":
    import unread

    unread.allow()
    sys.exit(main())
