"""Compare the function with the results that are stored, without storing any.

score-processor shadow [--scorecard KEY] [--score NAME] [--since 2h] [--share 0.1] [--least 0.98]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import click

from plexus.exceptions import InvalidData

from .aws import dynamodb, ledger
from .aws.clients import Aws, explain
from .aws.dynamodb import Record
from .command.shell import Shell
from .command.verb import verb
from .console.errors import DONE, FOUND, NotFound, OperationFailed
from .console.options import parse_timestamp_since
from .console.text import format_utc_now, pluralize
from .jobs import results

if TYPE_CHECKING:
    from plexus.comparison.differences import Agreement

    from .jobs.shadow_reports import Durations

MOST_DIFFERENCES = 20


@dataclass(frozen=True)
class Comparison:
    """How the function's results agree with the stored ones; `scores` and `differences` are JSON values.

    `seconds` has how long each score took, and `stored` and `function` how long the jobs did.
    """

    scores: Sequence[dict[str, object]]
    differences: Sequence[dict[str, str | None]]
    seconds: Sequence[float]
    stored: Durations | None
    function: Durations | None
    least: float
    agreements: Sequence[Agreement] = field(repr=False)

    @property
    def exit_code(self) -> int:
        """3 if a score agrees less than `least`."""
        return FOUND if any((agreement.share or 0.0) < self.least for agreement in self.agreements) else DONE


def _render(outcome: Comparison, shell: Shell) -> None:
    from plexus.comparison.text import render

    shell.print(render(outcome.agreements, MOST_DIFFERENCES).rstrip("\n"))
    from .jobs.shadow_reports import measure

    shell.print("")
    for name, times in (
        ("a stored job", outcome.stored),
        ("a job in the shadow", outcome.function),
        ("its score alone", measure(outcome.seconds)),
    ):
        if times:
            figures = f"median {times.p50:.2f}, 95th percentile {times.p95:.2f}, most {times.most:.2f}"
            shell.print(f"seconds of {name}: {figures}")
    for agreement in outcome.agreements:
        if (share := agreement.share or 0.0) < outcome.least:
            shell.say(f"{agreement.score}: got {share:.4f} the same, expected at least {outcome.least:.4f}")
        if agreement.failed:
            shell.say(f"{agreement.score}: {pluralize(len(agreement.failed), 'job')} failed in both")


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

    The figures, without values and texts, are stored in the table Deployment, where the dashboard reads them.
    """
    from .jobs import shadowing

    with shell.count("reading", None) as done:
        newest = limit if share == 1.0 else 0
        rows = results.read(shell.aws, scorecard, score, parse_timestamp_since(since), limit=newest, done=done)
    named = results.with_names(shell.aws, shadowing.sample(rows, share, limit))
    if not named:
        raise NotFound(f"got no result of a job among {pluralize(len(rows), 'result')}", "a larger --share, or --since")
    comparison, version = compare(shell, named, qualifier, at_once, least)
    _store(shell, comparison, version)
    return comparison


def compare(
    shell: Shell, named: list[Record], qualifier: str | None, at_once: int, least: float
) -> tuple[Comparison, str]:
    """Score the jobs of stored results by the function, `at_once` at a time, and compare each with its newest result.

    Returns the comparison and the function's version. OperationFailed if the results cannot be compared.
    """
    from plexus.comparison import differences, result_file

    from .jobs import shadow_reports, shadowing

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
    comparison = Comparison(
        [agreement.as_dict() for agreement in agreements],
        [difference.as_row() for agreement in agreements for difference in agreement.listed],
        [entry.seconds for entry in runs if entry.seconds is not None],
        shadow_reports.measure(_measure_stored(shell.aws, [str(record["scoringJobId"]) for record in latest])),
        shadow_reports.measure([entry.job_seconds for entry in runs if entry.job_seconds is not None]),
        least,
        agreements,
    )
    return comparison, ", ".join(sorted({entry.version for entry in runs if entry.version}))


def _measure_stored(aws: Aws, jobs: Sequence[str]) -> list[float]:
    """Return the seconds from start to completion of these jobs; the last attempt's, as the record has no other."""
    durations = []
    for record in dynamodb.get(aws, "ScoringJob", sorted(set(jobs)), ("startedAt", "completedAt")):
        try:
            start, end = (datetime.fromisoformat(str(record[name])) for name in ("startedAt", "completedAt"))
            durations.append((end - start).total_seconds())
        except (KeyError, ValueError, TypeError):  # not completed, no time, or one of the two without an offset
            continue
    return [seconds for seconds in durations if seconds >= 0]


def _store(shell: Shell, comparison: Comparison, version: str) -> None:
    """Store the figures for the dashboard; a comparison is not lost because they cannot be stored."""
    from botocore.exceptions import ClientError

    from .jobs import shadow_reports

    try:
        scores = tuple(map(shadow_reports.describe_score, comparison.agreements))
        who = ledger.identify_caller(shell.aws)
        durations = (comparison.stored, comparison.function)
        report = shadow_reports.ShadowReport(format_utc_now(), who, version, comparison.least, scores, *durations)
        if shadow_reports.write(shell.aws, report):
            return
        reason = f"stage {shell.stage.name} has no table {shell.stage.table(ledger.TABLE)}"
    except ClientError as error:
        reason = str(explain(error, shell.stage) or error)
    shell.say(f"the dashboard does not show this run: {reason}")
