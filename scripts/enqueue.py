"""Send scoring jobs to the request queue.

score-processor enqueue items.csv --scorecard card.yaml [--score NAME]...
"""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from plexus.problems import pluralize

from .checkout import ROOT
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .jobs import item_files
from .jobs.seeding import read_card
from .jobs.sending import EnqueueResult, enqueue_items, enqueue_jobs

CARD = ROOT / "build" / "reviews.yaml"


def _render(done: EnqueueResult, shell: Shell) -> None:
    what = f": {pluralize(done.items, 'item')}, scores {', '.join(done.scores)}; run {done.run}" if done.run else ""
    shell.console.print(f"{done.action} {pluralize(done.jobs, 'job')}{what}", markup=False)
    for state, count in sorted(done.passed.items()):
        remedy = "; make dlq REDRIVE=… redrives them" if state == "FAILED" else ""
        shell.console.print(f"skipped: {count} {state}{remedy}", markup=False)


@verb(acts=True, render=_render)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--scorecard",
    type=click.Path(path_type=Path),
    default=CARD,
    help="The scorecard's YAML, trained if it has trainable scores.  [default: build/reviews.yaml]",
)
@click.option("--score", "scores", multiple=True, help="Send jobs for this score only; repeatable.")
@click.option("--text", default="text", show_default=True, help="Column of texts, by name or number.")
@click.option("--id", "identity", default="id", show_default=True, help="Column of the items' ids, by name or number.")
@click.option("--encoding", metavar="NAME", help="Encoding of the table.  [default: detected]")
@click.option("--run", default="", help="Name of this run. Repeating a run sends only jobs that are still PENDING.")
def main(
    shell: Shell,
    file: Path,
    scorecard: Path,
    scores: tuple[str, ...],
    text: str,
    identity: str,
    encoding: str | None,
    run: str,
) -> EnqueueResult:
    """Send a scoring job for each item of FILE and each score of the scorecard.

    FILE is a table: CSV, JSON, Excel or Parquet; - is standard input. It has a column `text` and optionally `id`, and
    all columns but the text are the items' metadata; or a column `scoring_job_id` and no texts, which sends existing
    jobs.
    """
    columns = item_files.Columns(text, identity, encoding)
    rows = item_files.read_rows(file, columns, shell.say)
    if item_files.names_jobs(rows, columns):
        ids = item_files.jobs(file, rows)
        planned = enqueue_jobs(shell.aws, ids, dry_run=True)
        if shell.dry_run:
            return planned
        shell.confirm(f"Sends {pluralize(planned.jobs, 'job')} to {shell.stage.queues.request}.")
        return enqueue_jobs(shell.aws, ids, progress=shell.count)
    items, card, run = item_files.items(file, rows, columns), read_card(scorecard), run or uuid.uuid4().hex[:12]
    names = card.names(scores)
    if lacking := card.unpublished_scores(names):
        raise OperationFailed(
            f"{scorecard}: got no digest for the model or cassette of {', '.join(lacking)}, expected one",
            f"plexus train {scorecard} --write build/{scorecard.stem}.trained.yaml, then enqueue with that",
        )
    if shell.dry_run:
        return EnqueueResult(run, len(items) * len(names), tuple(names), len(items), "would send")
    shell.confirm(f"Sends {pluralize(len(items) * len(names), 'job')} to {shell.stage.queues.request}.")
    shell.say(f"run {run}; to resume it after an interruption: --run {run} (make: RUN_ID={run})")
    return enqueue_items(shell.aws, items, card, names, run, shell.count)
