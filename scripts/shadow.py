"""Compare the function with the results that are stored, without storing any.

score-processor shadow [--scorecard KEY] [--score NAME] [--since 2h] [--share 0.1] [--least 0.98]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from plexus.exceptions import InvalidData
from plexus.problems import pluralize

from .aws.dynamodb import Record
from .command.shell import Shell
from .command.verb import verb
from .console.errors import DONE, FOUND, NotFound, OperationFailed
from .console.options import timestamp_since
from .console.percentile import percentile
from .jobs import results

if TYPE_CHECKING:
    from plexus.comparison.differences import Agreement

SHOWN = 20


@dataclass(frozen=True)
class Comparison:
    """How the function's results agree with the stored ones; `scores` and `differences` are JSON values.

    `seconds` has how long each score took.
    """

    scores: Sequence[dict[str, object]]
    differences: Sequence[dict[str, str | None]]
    seconds: Sequence[float]
    least: float
    agreements: Sequence[Agreement] = field(repr=False)

    @property
    def exit_code(self) -> int:
        """3 if a score agrees less than `least`."""
        return FOUND if any((agreement.share or 0.0) < self.least for agreement in self.agreements) else DONE


def _render(outcome: Comparison, shell: Shell) -> None:
    from plexus.comparison.text import render

    shell.print(render(outcome.agreements, SHOWN).rstrip("\n"))
    if outcome.seconds:
        ordered = sorted(outcome.seconds)
        middle, slow = (percentile(ordered, share) for share in (0.5, 0.95))
        shell.print(f"\nseconds of a score: median {middle:.2f}, 95th percentile {slow:.2f}, most {ordered[-1]:.2f}")
    for agreement in outcome.agreements:
        if (share := agreement.share or 0.0) < outcome.least:
            shell.say(f"{agreement.score}: got {share:.4f} the same, expected at least {outcome.least:.4f}")


@verb(render=_render)
@click.option("--scorecard", default="", help="Only results of this scorecard (key, name or id).")
@click.option("--score", default="", help="Only results of this score (key, name or id).")
@click.option("--since", default="", help="Only results since 10m, 2h, 1d ago, or an ISO 8601 time.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, help="This share of the jobs.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most the newest jobs.")
@click.option("--at-once", type=click.IntRange(1, 100), default=4, show_default=True, help="Invocations at a time.")
@click.option("--least", type=click.FloatRange(0, 1), default=1.0, metavar="SHARE", help="Exit 3 if less is the same.")
@click.option("--qualifier", help="A version or alias (default: the stage's alias).")
def main(
    shell: Shell,
    scorecard: str,
    score: str,
    since: str,
    share: float,
    limit: int,
    at_once: int,
    least: float,
    qualifier: str | None,
) -> Comparison:
    """Score the jobs of stored results again, and compare.

    The function writes no record and sends no message, but it asks language models, which costs money. Compares
    value by value, with costs and durations; exit code 3 if less than --least is the same.
    """
    from .jobs import shadowing

    with shell.count("reading", None) as done:
        newest = limit if share == 1.0 else 0
        rows = results.read(shell.aws, scorecard, score, timestamp_since(since), limit=newest, done=done)
    named = results.with_names(shell.aws, shadowing.sample(rows, share, limit))
    if not named:
        raise NotFound(f"got no result of a job among {pluralize(len(rows), 'result')}", "a larger --share, or --since")
    return compare(shell, named, qualifier, at_once, least)


def compare(shell: Shell, named: list[Record], qualifier: str | None, at_once: int, least: float) -> Comparison:
    """Score the jobs of stored results by the function, `at_once` at a time, and compare each with its newest result.

    OperationFailed if the results cannot be compared.
    """
    from plexus.comparison import differences, result_file

    from .jobs import shadowing

    try:
        stored = result_file.collect("the stored results", named, "scoringJobId")
    except InvalidData as error:
        raise OperationFailed(str(error)) from None
    for note in stored.notes:
        shell.say(note)
    compared = {job for answers in stored.answers.values() for job in answers}
    latest = list({job: record for record in named if (job := str(record["scoringJobId"])) in compared}.values())
    with shell.count("scoring", len(latest)) as done:
        runs = list(shadowing.run(shell.aws, latest, qualifier, at_once, done))
    shadow = result_file.ResultFile("the function's results")
    for entry in runs:
        shadow.answers.setdefault(entry.answer.score, {})[entry.answer.item] = entry.answer
    agreements = [differences.compare(stored, shadow, (name, name)) for name in stored.scores]
    return Comparison(
        [agreement.as_dict() for agreement in agreements],
        [difference.as_row() for agreement in agreements for difference in agreement.differences],
        [entry.seconds for entry in runs if entry.seconds is not None],
        least,
        agreements,
    )
