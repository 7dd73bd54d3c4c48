"""`plexus run`: score one text or a file of them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from plexus.commands import options, wrapper
from plexus.problems import pluralize

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.running.job import FileRun
    from plexus.running.journal import Journal
    from plexus.running.run import ScoredRow, Tally
    from plexus.scorecard import Scorecard
    from plexus.values import Outcome


class TextCommand(click.Command):
    """A command whose texts may begin with a dash: an argument that cannot be an option is one of its texts.

    An option is a dash or two, a letter, and letters, digits and dashes up to the end or an equals sign.
    """

    _OPTION = re.compile(r"--?[A-Za-z][\w-]*(=.*)?", re.DOTALL)
    _MARK = "\udc2d"  # in no argument that was decoded from bytes 0x80 to 0xff

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; a mark before a text that begins with a dash hides it from the parser of options."""
        takes_value = {
            name
            for option in self.get_params(ctx)
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        marked = [
            self._MARK + arg
            if arg[:1] == "-"
            and len(arg) > 1
            and arg != "--"
            and not self._OPTION.fullmatch(arg)
            and previous not in takes_value
            else arg
            for previous, arg in zip(["", *args], args, strict=False)
        ]
        try:
            rest = super().parse_args(ctx, marked)
        except click.NoSuchOption as error:
            message = (
                f"{error.message} If it is the text, put -- before it: plexus run CARD.yaml -- {error.option_name}"
            )
            raise click.NoSuchOption(error.option_name, message, error.possibilities, ctx) from None
        text = ctx.params["text"]
        ctx.params["text"] = None if text is None else text.removeprefix(self._MARK)
        return rest


@click.command(name="run", cls=TextCommand, short_help="Score a text, or a file of texts.")
@options.card
@click.argument("text", required=False)
@options.score
@click.option(
    "--data",
    "data_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score this table: CSV, JSON, Excel or Parquet; - is standard input.",
)
@click.option(
    "--text", "text_column", default="text", show_default=True, help="With --data: column of texts, by name or number."
)
@click.option("--id", "id_column", help="With --data: a column that identifies each row; its values must be unique.")
@options.add_table_layout
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --data: write the results to this file. Default: print them.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "tsv", "jsonl", "parquet", "xlsx"]),
    help="With --data: format of the results. Default: by the output's suffix; csv if printed.",
)
@click.option(
    "--restart", is_flag=True, help="Discard an unfinished run, replace an existing output, record replies anew."
)
@click.option("--retry-failed", is_flag=True, help="With --output: score only the rows of it again that failed.")
@click.option("--keep-columns", is_flag=True, help="With --data: write the columns of the table beside the results.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="With --data: processes that score in parallel. The results are the same.",
)
@click.option("--budget-total", type=float, help="With --output: US dollars for the whole run, after which it stops.")
@options.store
@options.model_options
@options.as_json
def command(
    card: Path,
    text: str | None,
    names: tuple[str, ...],
    data_file: Path | None,
    text_column: str,
    id_column: str | None,
    layout: options.Layout,
    output: Path | None,
    form: str | None,
    restart: bool,
    retry_failed: bool,
    keep_columns: bool,
    workers: int,
    budget_total: float | None,
    store: Path,
    as_json: bool,
    **model_options: Unpack[options.ModelOptions],
) -> int:
    """Score TEXT (default: standard input), or the texts of a file with --data.

    Exit 1 if a score failed. A run over a file that was stopped, by Ctrl-C, a kill or a full disk, is resumed by
    running the same command again.
    """
    import plexus

    check_options()
    scorecard = plexus.load_file(card)
    context = options.create_context(options.find_store(store, [card]), renew=restart or retry_failed, **model_options)
    if data_file is None:
        return run_text(scorecard, text if text is not None else read_stdin(), names, context, as_json=as_json)
    from plexus.running.job import FileRun
    from plexus.running.texts import TextFile
    from plexus.tables import open_table

    check_outputs(output, [each for each in (data_file, card, model_options["record"]) if each is not None])
    columns = [text_column, *([id_column] if id_column is not None else [])]
    with open_table(data_file, columns, **layout) as table:
        source = TextFile.of(table, text_column, id_column)
        run = FileRun(scorecard, score_names(scorecard, names), source, context, keep_columns, workers)
        options.print_notes(table.notice and f"{table.name}: {table.notice}", *run.list_renamed_scores())
        if output is None:
            return print_file(run, "jsonl" if as_json else form or "csv")
        budget = options.parse_dollars("--budget-total", budget_total)
        return write_file(run, output, form, budget=budget, restart=restart, retry=retry_failed)


def check_options() -> None:
    """Raise click.UsageError for options of the command line that require or contradict others."""
    values = click.get_current_context().params
    needs_data = ("id_column", *options.LAYOUT, "output", "form", "keep_columns")
    if values["data_file"] is None and (any(map(values.get, needs_data)) or values["workers"] > 1):
        listed = "--id, --encoding, --sheet, --output, --format, --keep-columns and --workers"
        raise click.UsageError(f"{listed} require --data")
    if values["output"] is None and (values["restart"] or values["retry_failed"] or values["budget_total"] is not None):
        raise click.UsageError("--restart, --retry-failed and --budget-total require --data and --output")
    if values["restart"] and values["retry_failed"]:
        raise click.UsageError("--restart and --retry-failed contradict each other")
    if values["workers"] > 1 and values["record"] is not None:
        raise click.UsageError("--workers and --record contradict each other: one process writes a cassette")
    if values["data_file"] is None and options.find_explicit("text_column"):
        raise click.UsageError("--text names a column and requires --data; pass a single text as the second argument")
    if values["data_file"] is not None and values["text"] is not None:
        raise click.UsageError("got both a text and --data, expected one of them")


def check_outputs(output: Path | None, inputs: list[Path]) -> None:
    """Raise InvalidData if the file of results, or the journal beside it, cannot be written or is an input."""
    from plexus.running.journal import Journal
    from plexus.tables.output import check_output

    if output is not None:
        check_output(output, inputs)
        check_output(Journal.locate(output), inputs)


def run_text(scorecard: Scorecard, text: str, names: tuple[str, ...], context: Context, *, as_json: bool) -> int:
    """Print each score of one text; return 1 if one failed, else 0. Raises InvalidData for a lone surrogate."""
    import plexus
    from plexus.exceptions import InvalidData, NotApplicable
    from plexus.running.run import as_dict

    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidData(f"the text is not UTF-8 at character {error.start + 1}") from None
    outcomes = plexus.score_all(scorecard, [plexus.Item(text)], names=names, context=context)
    by_name = {name: outcome for name, (outcome,) in outcomes.items()}
    if as_json:
        values = {name: as_dict(outcome) for name, outcome in by_name.items()}
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
    else:
        for name, outcome in by_name.items():
            click.echo(format_outcome(name, outcome, replayed=context.offline))
    failed = [outcome for outcome in by_name.values() if isinstance(outcome, plexus.PlexusError)]
    return 1 if any(not isinstance(error, NotApplicable) for error in failed) else 0


def read_stdin() -> str:
    """Return all of standard input as one text. Raises InvalidData if it is not UTF-8."""
    from plexus.exceptions import InvalidData

    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise InvalidData(f"standard input is not UTF-8 at byte {error.start + 1}") from None


def print_file(job: FileRun, form: str) -> int:
    """Print each row as soon as it is scored; stop when the reader of stdout is gone.

    Returns 1 if a score failed, else 0. Raises click.UsageError for a format that cannot be printed.
    """
    from plexus.running import run, writers

    if form in ("parquet", "xlsx"):
        raise click.UsageError(f"{form} cannot be printed. next: --output FILE.{form}")
    job.create_scorers()
    tally = run.Tally()
    chunks = run.keep_finished(job.score_rows(job.source.read()))
    rows = takewhile(lambda _: not wrapper.is_stdout_closed(), _count_rows(chunks, tally.count))
    writers.stream(sys.stdout, form, job.complete(rows), job.scores, job.kept_columns)
    return print_summary(tally)


def write_file(
    job: FileRun, output: Path, form: str | None, *, budget: Decimal | None, restart: bool, retry: bool
) -> int:
    """Write the file of results; resume an earlier run of the same texts and scores, or score its failed rows again."""
    from plexus.running import writers
    from plexus.running.journal import Journal
    from plexus.tables.output import format_of

    form = format_of(output, form)
    if form != "jsonl":
        writers.create_columns(job.scores, job.kept_columns)
    job.check_cells(form)
    check_state(output, Journal.locate(output), restart=restart, retry=retry)
    job.create_scorers()
    with Journal(output, job.identity, restart=restart) as journal:
        tally = score_remaining(job, journal, budget, retry=retry)
        writers.write(
            output,
            form,
            job.complete(_count_rows([journal.read_rows()], tally.count_outcomes)),
            job.scores,
            job.kept_columns,
        )
        if not tally.failed:
            journal.remove()
    click.echo(f"wrote {output}", err=True)
    status = print_summary(tally)
    if tally.failed:
        click.echo("next: run the same command again with --retry-failed to score only these rows again", err=True)
    return status


def score_remaining(job: FileRun, journal: Journal, budget: Decimal | None, *, retry: bool) -> Tally:
    """Score the rows that are not in the journal, or with `retry` those that failed in it, and add them to it.

    Prints where it begins, and if it is stopped where it ended. Returns what all rows cost, each time that they were
    scored. `budget` is in US dollars, for the rows of the journal too; BudgetExceeded once it is spent, RunRefused once
    the provider refuses every request.
    """
    from plexus.exceptions import BudgetExceeded
    from plexus.running import run
    from plexus.running.refusals import RunRefused

    spent = run.Tally()
    has_failed: dict[int, bool] = {}  # of the last time that each row was scored
    for row in journal.read_attempts():
        spent.count_cost(row)
        has_failed[row["row"]] = run.has_failed(row)
    if retry:
        has_failed = {number: False for number, failed in has_failed.items() if not failed}
        count = pluralize(job.source.rows - len(has_failed), "failed row")
        click.echo(f"scoring {count} of {job.source.rows} again", err=True)
    elif has_failed:
        click.echo(f"resuming: {len(has_failed)} of {job.source.rows} rows are scored", err=True)
    rows, before = job.source.read(has_failed), journal.done
    size = None if budget is None else job.context.workers  # rows in a chunk: the budget is checked between chunks
    try:
        with options.create_progress(job.source.rows, "scoring", len(has_failed)) as bar:
            run.keep_all(job.score_rows(rows, size), journal.add, bar.update, spent, budget)
    except (KeyboardInterrupt, OSError, BudgetExceeded, RunRefused) as error:
        place = f"{len(has_failed) + journal.done - before} of {job.source.rows} rows" + (
            f" and {spent.cost} USD" if spent.calls else ""
        )
        more = " with a larger --budget-total" if isinstance(error, BudgetExceeded) else ""
        click.echo(f"stopped after {place}. next: run the same command again{more} to resume", err=True)
        raise
    return spent


def check_state(output: Path, journal: Path, *, restart: bool, retry: bool) -> None:
    """Raise InvalidData if the output exists and is not to be replaced, or has no failed rows to score again."""
    from plexus.exceptions import InvalidData

    if retry and not (output.exists() and journal.exists()):
        what = "no row of it failed, or its journal is gone" if output.exists() else "no such file"
        raise InvalidData(f"{output}: {what}. next: the same command without --retry-failed")
    if output.exists() and not (restart or retry):
        also = "--retry-failed to score only the rows that failed again, " if journal.exists() else ""
        raise InvalidData(f"{output}: already exists. next: {also}--restart to replace it, or another --output")


def score_names(scorecard: Scorecard, names: tuple[str, ...]) -> list[str]:
    """Return the names of the requested scores, each once; by default all that are not disabled."""
    if names:
        return list(dict.fromkeys(scorecard.find(name).name for name in names))
    return [score.name for score in scorecard.scores if not score.configuration.disabled]


def print_summary(tally: Tally) -> int:
    """Print a summary and the first errors on stderr; return 1 if a score failed, else 0."""
    summary = pluralize(tally.rows, "row")
    for what, counts in (("skipped", tally.skipped), ("failed", tally.failed)):
        summary += "".join(f"; {name}: {count} {what}" for name, count in counts.items())
    click.echo(summary + tally.describe_calls(replayed=click.get_current_context().params["offline"]), err=True)
    for error in tally.format_errors():
        click.echo(f"  {error}", err=True)
    return 1 if tally.failed else 0


def _count_rows(chunks: Iterable[Iterable[ScoredRow]], count: Callable[[ScoredRow], None]) -> Iterator[ScoredRow]:
    for chunk in chunks:
        for row in chunk:
            count(row)
            yield row


def format_outcome(name: str, outcome: Outcome, *, replayed: bool) -> str:
    """Return a score's outcome in one line: value, confidence, explanation and cost, or the error."""
    if isinstance(outcome, Exception):
        return f"{name}: {type(outcome).__name__}: {outcome}"
    confidence = "" if outcome.confidence is None else f" ({outcome.confidence:.0%})"
    explanation = " ".join((outcome.explanation or "").split())
    price = "price unknown" if outcome.cost is None else f"{outcome.cost} USD"
    price = f"replayed, list price {price}" if outcome.cost and replayed else price
    cost = f" [calls: {outcome.usage.calls}, {price}]" if outcome.usage.calls else ""
    return f"{name}: {outcome.value}{confidence}" + (f" – {explanation}" if explanation else "") + cost
