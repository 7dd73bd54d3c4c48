"""Estimate the monthly cost of a stage: `python -m infrastructure.cost [STAGE...] [--write FILE]`."""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

from infrastructure.cost import estimate
from infrastructure.cost.page import JOBS, KINDS, page
from stages import StageError, load

CLOUD = ("staging", "production")


def main(arguments: list[str] | None = None) -> int:
    """Print or write the estimate; returns 1 on an error, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.cost", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="stages (default: production)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to FILE instead of printing it")
    parser.add_argument("--json", action="store_true", help="print every line of the estimate as JSON")
    options = parser.parse_args(arguments)
    try:
        stages = [load(stage) for stage in options.stages or ["production"]]
    except StageError as problem:
        print(problem, file=sys.stderr)
        return 1
    prices, usage = estimate.read(estimate.PRICES), estimate.read(estimate.USAGE)
    if options.json:
        document = {
            settings.name: {
                kind: {
                    jobs: [dataclasses.asdict(line) for line in lines]
                    for jobs in JOBS.values()
                    if (lines := estimate.estimate(settings, jobs, kind, prices, usage))
                }
                for kind in KINDS
            }
            for settings in stages
        }
        print(json.dumps(document, indent=1))
    elif options.write:
        options.write.write_text(page(stages, prices, usage), encoding="utf-8")
        print(f"wrote {options.write}")
    else:
        print(page(stages, prices, usage), end="")
    return 0


def _run() -> int:
    """Run the command; if its reader (`| head`) exits early, succeed without a traceback."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(_run())
