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

from .command.shell import Shell
from .command.verb import verb
from .console.errors import DONE, FOUND, NotFound, OperationFailed
from .console.options import timestamp_since
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
        return FOUND if any((each.share or 0.0) < self.least for each in self.agreements) else DONE


def _render(outcome: Comparison, shell: Shell) -> None:
    from plexus.comparison.text import render

    shell.print(render(outcome.agreements, SHOWN).rstrip("\n"))
    if outcome.seconds:
        ordered = sorted(outcome.seconds)
        middle, slow = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
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
    from plexus.comparison import differences, result_file

    from .jobs import shadowing

    with shell.count("reading", None) as done:
        rows = results.read(shell.aws, scorecard, score, timestamp_since(since), done)
    chosen = results.with_names(shell.aws, shadowing.sample(rows, share, limit))
    if not chosen:
        raise NotFound(f"got no result of a job among {pluralize(len(rows), 'result')}", "a larger --share, or --since")
    try:
        stored = result_file.collect("the stored results", chosen, "scoringJobId")
    except InvalidData as error:
        raise OperationFailed(str(error)) from None
    for note in stored.notes:
        shell.say(note)
    compared = {job for answers in stored.answers.values() for job in answers}
    latest = list({job: record for record in chosen if (job := str(record["scoringJobId"])) in compared}.values())
    with shell.count("scoring", len(latest)) as done:
        runs = list(shadowing.run(shell.aws, latest, qualifier, at_once, done))
    fresh = result_file.ResultFile("the function's results")
    for entry in runs:
        fresh.answers.setdefault(entry.answer.score, {})[entry.answer.item] = entry.answer
    pairs = [(name, name) for name in stored.scores]
    agreements = [differences.compare(stored, fresh, pair) for pair in pairs]
    return Comparison(
        [each.as_dict() for each in agreements],
        [difference.as_row() for each in agreements for difference in each.differences],
        [each.seconds for each in runs if each.seconds is not None],
        least,
        agreements,
    )
