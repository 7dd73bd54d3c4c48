"""Send scoring jobs to the request queue.

score-processor enqueue items.csv --scorecard card.yaml [--score NAME]... [--output results.csv]
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .checkout import ROOT
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .console.text import pluralize
from .jobs import item_files
from .jobs.file_runs import FileResult, QueuedFile, name_run
from .jobs.seeding import Card, read_card
from .jobs.sending import EnqueueResult, enqueue_items, enqueue_jobs

if TYPE_CHECKING:
    from plexus.running.texts import TextFile
    from plexus.tables import Table

CARD = ROOT / "build" / "reviews.yaml"


@dataclass(frozen=True)
class Output:
    """The file of results: whether it has the table's columns and may be replaced, and the longest wait in seconds."""

    path: Path
    keep_columns: bool
    replace: bool
    patience_s: float


def _render(done: EnqueueResult | FileResult, shell: Shell) -> None:
    if isinstance(done, FileResult):
        _render_file(done, shell)
        return
    what = f": {pluralize(done.items, 'item')}, scores {', '.join(done.scores)}; run {done.run}" if done.run else ""
    shell.console.print(f"{done.action} {pluralize(done.jobs, 'job')}{what}", markup=False)
    for state, count in sorted(done.passed.items()):
        remedy = "; make dlq REDRIVE=… redrives them" if state == "FAILED" else ""
        shell.console.print(f"skipped: {count} {state}{remedy}", markup=False)


def _render_file(done: FileResult, shell: Shell) -> None:
    if done.action != "sent":
        shell.print(f"{done.action} {pluralize(done.jobs, 'job')}, and write {done.output}")
        return
    counts = {"skipped": done.skipped, "failed": done.failed}
    more = "".join(f"; {name}: {count} {what}" for what, by_score in counts.items() for name, count in by_score.items())
    shell.print(f"wrote {done.output}: {pluralize(done.rows, 'row')}{more}")
    for error in done.errors:
        shell.say(f"  {error}")
    if done.failed:
        shell.say("next: make dlq lists the jobs that can be redriven; then the same command with --replace")


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
@click.option("--sheet", metavar="NAME", help="Sheet of an Excel workbook.  [default: detected]")
@click.option("--header-row", metavar="N[-M]", help="Row of the column names, and last row below it to ignore.")
@click.option("--run", default="", help="Name of this run. Repeating a run sends only jobs that are still PENDING.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Wait for the results, and write them to this file as `plexus run` does. The same command resumes.",
)
@click.option("--keep-columns", is_flag=True, help="With --output: write the table's columns beside the results.")
@click.option("--replace", "is_replaced", is_flag=True, help="With --output: replace an existing file.")
@click.option(
    "--patience",
    type=click.FloatRange(min=1),
    default=900,
    show_default=True,
    help="With --output: seconds without any ended job after which the command fails.",
)
def main(
    shell: Shell,
    file: Path,
    scorecard: Path,
    scores: tuple[str, ...],
    text: str,
    identity: str,
    encoding: str | None,
    sheet: str | None,
    header_row: str | None,
    run: str,
    output: Path | None,
    keep_columns: bool,
    is_replaced: bool,
    patience: float,
) -> EnqueueResult | FileResult:
    """Send a scoring job for each item of FILE and each score of the scorecard.

    FILE is a table: CSV, JSON, Excel or Parquet; - is standard input. It has a column `text` and optionally `id`, and
    all columns but the text are the items' metadata; or a column `scoring_job_id` and no texts, which sends existing
    jobs.

    With --output the command waits until every job has ended, and writes one row for each row of FILE. Jobs
    continue without it: after an interruption, the same command sends what is still pending and reads the rest.
    """
    layout = {"encoding": encoding, "sheet": sheet, "header_row": header_row}
    columns = item_files.Columns(text, identity, layout)
    if output is not None:
        wanted = Output(output, keep_columns, is_replaced, patience)
        return _score_file(shell, file, read_card(scorecard), scorecard, scores, columns, run, wanted)
    if keep_columns or is_replaced:
        raise click.UsageError("--keep-columns and --replace require --output")
    rows = item_files.read_rows(file, columns, shell.say)
    if item_files.names_jobs(rows, columns):
        ids = item_files.parse_jobs(file, rows)
        planned = enqueue_jobs(shell.aws, ids, dry_run=True)
        if shell.dry_run:
            return planned
        shell.confirm(f"Sends {pluralize(planned.jobs, 'job')} to {shell.stage.queues.request}.")
        return enqueue_jobs(shell.aws, ids, progress=shell.count)
    items, card, run = item_files.parse_items(file, rows, columns), read_card(scorecard), run or uuid.uuid4().hex[:12]
    names = card.names(scores)
    _require_published(scorecard, card, names)
    if shell.dry_run:
        return EnqueueResult(run, len(items) * len(names), tuple(names), len(items), "would send")
    shell.confirm(f"Sends {pluralize(len(items) * len(names), 'job')} to {shell.stage.queues.request}.")
    shell.say(f"run {run}; to resume it after an interruption: --run {run} (make: RUN_ID={run})")
    return enqueue_items(shell.aws, items, card, names, run, shell.count)


def _require_published(path: Path, card: Card, names: list[str]) -> None:
    if lacking := card.list_unpublished_scores(names):
        raise OperationFailed(
            f"{path}: got no digest for the model or cassette of {', '.join(lacking)}, expected one",
            f"plexus train {path} --write build/{path.stem}.trained.yaml, then enqueue with that",
        )


def _score_file(
    shell: Shell,
    file: Path,
    card: Card,
    card_path: Path,
    scores: tuple[str, ...],
    columns: item_files.Columns,
    run: str,
    output: Output,
) -> FileResult:
    """Send the file's jobs, wait for them, and write the results."""
    import plexus
    from plexus.running.job import FileRun
    from plexus.running.writers import create_columns
    from plexus.tables import open_table

    names = card.names(scores)
    _require_published(card_path, card, names)
    try:
        form = _check_output(output, [file, card_path])
        with open_table(file, [columns.text, columns.id], **columns.layout) as table:
            source = _find_texts(table, columns)
            if table.notice:
                shell.say(f"{table.name}: {table.notice}")
            job = FileRun(card.scorecard, names, source, plexus.Context(), output.keep_columns, 1)
            if form != "jsonl":
                create_columns(names, job.kept_columns)
            queued = QueuedFile(shell.aws, card, job, table.name, run or name_run(job.identity))
            count = queued.count_jobs()
            if shell.dry_run:
                return FileResult(queued.run, count, str(output.path), action="would send")
            shell.confirm(f"Sends {pluralize(count, 'job')} to {shell.stage.queues.request}.")
            sent = queued.send(shell.count)
            shell.say(f"run {queued.run}: {sent} of {pluralize(count, 'job')} sent; the same command resumes")
            queued.wait(output.patience_s, shell.count)
            tally = queued.write(output.path, form)
    except plexus.PlexusError as error:
        raise OperationFailed(str(error)) from None
    return FileResult(
        queued.run, sent, str(output.path), tally.rows, dict(tally.failed), dict(tally.skipped), tally.format_errors()
    )


def _check_output(output: Output, inputs: list[Path]) -> str:
    """Return the format of the file of results. OperationFailed if it exists and is not to be replaced."""
    from plexus.tables.output import check_output, format_of

    check_output(output.path, inputs)
    form = format_of(output.path, None)
    if output.path.exists() and not output.replace:
        raise OperationFailed(f"{output.path}: already exists", "--replace, or another --output")
    return form


def _find_texts(table: Table, columns: item_files.Columns) -> TextFile:
    """Return the table's texts, with ids if its first row has their column: a table without it has none."""
    from plexus.running.texts import TextFile

    first = next(islice(table.read_rows(1), 1), (0, {}))[1]
    return TextFile.of(table, columns.text, columns.id if columns.id in first else None)
