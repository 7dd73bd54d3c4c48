"""The linter as a command that needs nothing but Python.

python3 -m nix.oci.lint [--strict] [--json] IMAGE
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from nix.command import DONE, FOUND, command

from ..exceptions import OciError
from . import READ_RULES, Level, Problem, lint_image


@command("lint", OciError)
def main(words: Sequence[str] | None = None) -> int:
    """Print an image's problems; return 0 if it passed, 3 if it failed.

    An image fails if Lambda would refuse it or the function would fail, and with --strict for advisory rules and for
    rules whose answer is unknown too. An image that cannot be read is 1, wrong arguments are 2.
    """
    parser = argparse.ArgumentParser(prog="python3 -m nix.oci.lint", description="Lint an image for AWS Lambda.")
    parser.add_argument("image", type=Path, metavar="IMAGE", help="OCI layout directory, or OCI or Docker archive")
    parser.add_argument("--strict", action="store_true", help="fail for advisory and unknown rules too")
    parser.add_argument("--json", action="store_true", help="print the problems as a JSON list")
    options = parser.parse_args(words)
    problems = lint_image(options.image)
    if options.json:
        print(json.dumps([convert_problem(problem) for problem in problems], indent=1))
    else:
        print("\n".join([*map(str, problems), summarize(problems)]))
    return FOUND if any(options.strict or problem.is_fatal for problem in problems) else DONE


def convert_problem(problem: Problem) -> dict[str, str]:
    """Return a problem as JSON values, with what its rule adds."""
    return {name: str(getattr(problem, name)) for name in ("rule", "level", "where", "text", "message", "remedy")}


def summarize(problems: Sequence[Problem]) -> str:
    """Return the last line: how many problems of each level, or how many rules passed."""
    counts = [f"{count} {level}" for level in Level if (count := sum(one.level == level for one in problems))]
    return f"lint: {', '.join(counts)}" if counts else f"lint: passed ({READ_RULES} rules)"


if __name__ == "__main__":
    sys.exit(main())
