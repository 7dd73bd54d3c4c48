"""Lint an image for AWS Lambda: the built one, or one that any other builder made.

score-processor lint-image [--run] [IMAGE]

IMAGE is a directory (OCI image layout), a file (OCI or Docker archive), or a reference in the stage's registry:
repository:tag, repository@sha256:…, or just sha256:…. Nothing is pushed, pulled or unpacked to disk, except by --run,
which starts a layout or an archive as Lambda would.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import click

from .checkout.layout import LAYOUT, require_finished
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .console.text import pluralize
from .images.image_check import LintResult, ReportedProblem, check, open_image, render_rules, start_problems

MOST_PROBLEMS = 5
HEADS = {
    "refused": "Lambda refuses this image",
    "fails": "Lambda accepts this image, but the function fails",
    "unknown": "the image's files do not decide whether these rules hold",
    "advisory": "best practice: the function runs without it",
}


def render(result: LintResult, shell: Shell) -> None:
    """Print the problems by level, then by rule, and a summary."""
    for level, head in HEADS.items():
        problems = sorted((one for one in result.problems if one.level == level), key=lambda one: one.rule)
        if problems:
            shell.console.print(f"{head}: {pluralize(len(problems), 'problem')}", style="bold", markup=False)
        for rule, group in groupby(problems, key=lambda one: one.rule):
            print_rule(rule, list(group), shell.console)
    shell.console.print(summarize(result), markup=False)


def summarize(result: LintResult) -> str:
    """Return the last line: passed or the number of problems, and the image's size.

    Sizes are in MB of 10^6 bytes. Unknown findings are counted apart, since they decide nothing.
    """
    from nix.oci.lint import READ_RULES, RULES

    count = len(result.problems)
    ignored = f", {result.ignored} ignored" if result.ignored else ""
    status = "failed" if result.exit_code else "passed"
    rules = len(RULES) if result.started else READ_RULES
    verdict = f"{status}, {pluralize(count, 'problem')}" if count else f"passed ({rules} rules)"
    layers = pluralize(result.layers, "layer")
    unknown = sum(problem.level == "unknown" for problem in result.problems)
    if unknown:
        verdict = f"{status}, {pluralize(count - unknown, 'problem')}, {unknown} unknown (--run starts the image)"
    return f"lint: {verdict}; {layers}, {result.unpacked_size / 1e6:.1f} MB unpacked{ignored}"


def print_rule(rule: str, problems: list[ReportedProblem], console: Any) -> None:
    """Print the first problems of one rule, Lambda's message and the remedy.

    All problems are of one rule and level, so that they share the message and the remedy.
    """
    for problem in problems[:MOST_PROBLEMS]:
        console.print(f"  {rule}: {problem.where}: {problem.text}", markup=False)
    if len(problems) > MOST_PROBLEMS:
        console.print(f"  {rule}: and {len(problems) - MOST_PROBLEMS} more (--json lists all)", markup=False)
    if problems[0].level == "unknown":
        console.print(f"      next: {problems[0].remedy}", markup=False)
        return
    quoted = f"Lambda: {problems[0].service}" if problems[0].service else "Lambda reports nothing."
    console.print(f"      {quoted}\n      next: {problems[0].remedy}", markup=False)


@verb(render=render)
@click.argument("image", required=False)
@click.option("--strict", is_flag=True, help="Fail for advisory and unknown rules too; default for build/image.")
@click.option("--run", "started", is_flag=True, help="Also start the image in isolation, until it awaits an event.")
@click.option("--ignore", multiple=True, metavar="RULE[=PATH]", help="Ignore a rule, everywhere or at matching paths.")
@click.option("--rules", is_flag=True, help="Print the table of rules and exit.")
def main(
    shell: Shell, image: str | None, strict: bool, started: bool, ignore: tuple[str, ...], rules: bool
) -> LintResult | None:
    """Lint an image (default: build/image) against Lambda's rules for container images.

    IMAGE is an OCI layout directory, an OCI or Docker archive, or a reference in the stage's registry.
    """
    from nix.oci.lint import RULES

    if rules:
        click.echo(render_rules())
        return None
    unknown = [rule for rule in ignore if rule.partition("=")[0] not in RULES]
    if unknown:
        raise click.UsageError(f"--ignore: unknown rule {unknown[0].partition('=')[0]!r}; --rules lists all rules")
    if image is None and not (LAYOUT / "index.json").is_file():
        raise OperationFailed("no image has been built yet", "make build")
    if image is None:
        require_finished(LAYOUT)
    name = image or str(LAYOUT)
    if started and not Path(name).exists():
        raise click.UsageError(f"--run: got {name}, expected a layout directory or an archive on this machine")
    return check(
        open_image(name, lambda: shell.aws),
        name,
        ignore=ignore,
        strict=strict or image is None,
        start=(lambda: start_problems(Path(name))) if started else None,
    )
