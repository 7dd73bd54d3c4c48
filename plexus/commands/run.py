"""`plexus run`: score one text or a file of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from plexus.commands import options, unread


@click.command(name="run", short_help="Score one text, or a file of them.")
@options.card
@click.argument("text", required=False)
@options.score
@click.option(
    "--data",
    "data_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Score this CSV, JSONL or Parquet file; - is standard input.",
)
@click.option("--text", "text_column", default="text", show_default=True, help="With --data: the column of the texts.")
@click.option("--id", "id_column", help="With --data: the column that names rows; each value once.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --data: the file of results; without it they are printed.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    help="Of the results; default: by the output's ending, csv when printed.",
)
@click.option("--restart", is_flag=True, help="Forget an unfinished run, replace a finished one.")
@options.store
@options.asking
@options.as_json
def command(
    card: Path,
    text: str | None,
    names: tuple[str, ...],
    data_file: Path | None,
    text_column: str,
    id_column: str | None,
    output: Path | None,
    form: str | None,
    restart: bool,
    store: Path,
    as_json: bool,
    **asking: Any,
) -> int:
    """Score TEXT (or standard input), or with --data a file of texts; exit 1 when a score failed.

    A run over a file that was stopped, by Ctrl-C or worse, goes on where it was when the same command is given again.
    """
    import plexus

    if data_file is None and (output or id_column or form or restart):
        raise click.UsageError("--id, --output, --format and --restart go with --data")
    if data_file is None and options.given("text_column"):
        raise click.UsageError("--text names a column and goes with --data; a text stands by itself, without --text")
    if data_file is not None and text is not None:
        raise click.UsageError("give a text or --data, not both")
    scorecard = plexus.load_file(card)
    context = options.context(store, **asking)
    if data_file is None:
        return one(scorecard, text if text is not None else typed(), names, context, as_json=as_json)
    from plexus.running.source import Source
    from plexus.running.stdin import standing

    with standing(data_file, sys.stdin.buffer) as path:
        source = Source.of(path, text_column, id_column)
        if output is None:
            return printed(scorecard, names, source, context, "jsonl" if as_json else form or "csv")
        return written(scorecard, names, source, context, output, form, restart=restart)


def one(scorecard: Any, text: str, names: tuple[str, ...], context: Any, *, as_json: bool) -> int:
    """Prints each score of one text."""
    import plexus
    from plexus.exceptions import InvalidData, NotApplicable
    from plexus.running.run import as_dict

    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidData(f"the text is not UTF-8 at character {error.start + 1}") from None
    outcomes = plexus.score_all(scorecard, [plexus.Item(text)], names=names, context=context)
    shown = {name: outcome for name, (outcome,) in outcomes.items()}
    if as_json:
        made = {name: as_dict(outcome) for name, outcome in shown.items()}
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        for name, outcome in shown.items():
            click.echo(line(name, outcome))
    failed = [each for each in shown.values() if isinstance(each, plexus.PlexusError)]
    return 1 if any(not isinstance(each, NotApplicable) for each in failed) else 0


def typed() -> str:
    """All of standard input, as one text."""
    from plexus.exceptions import InvalidData

    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise InvalidData(f"standard input is not UTF-8 at byte {error.start + 1}") from None


def printed(scorecard: Any, names: tuple[str, ...], source: Any, context: Any, form: str) -> int:
    """Prints each row's results as soon as they are there, for as long as somebody reads them."""
    from plexus.running import formats, run

    if form == "parquet":
        raise click.UsageError("Parquet cannot be printed: give --output FILE.parquet")
    tally = run.Tally()
    chunks = run.scored(scorecard, names, source.read(), context)
    read = takewhile(lambda _: not unread.lost(), _counted(chunks, tally))
    formats.stream(sys.stdout, form, read, score_names(scorecard, names))
    return told(tally)


def written(
    scorecard: Any, names: tuple[str, ...], source: Any, context: Any, output: Path, form: str | None, *, restart: bool
) -> int:
    """Writes the file of results; goes on where an earlier run of the same was stopped."""
    from plexus.exceptions import InvalidData
    from plexus.running import formats, run
    from plexus.running.part import Part

    form, scores = formats.format_of(output, form), score_names(scorecard, names)
    if output.exists() and not restart:
        raise InvalidData(f"{output}: is there already; --restart replaces it, another --output keeps it")
    if form != "jsonl":
        formats.columns(scores)
    about = {
        "format": 1,
        **run.identity(scorecard, scores),
        "data": source.sha256,
        "text": source.text,
        "id": source.id,
    }
    with Part(output, about, restart=restart) as part:
        if part.done:
            click.echo(f"going on after row {part.done} of {source.rows}", err=True)
        chunks = run.scored(scorecard, names, source.read(part.done), context)
        try:
            with options.progress(source.rows, "scoring", part.done) as bar:
                run.go_on(chunks, part.add, bar.update)
        except (KeyboardInterrupt, OSError):
            click.echo(f"stopped after row {part.done} of {source.rows}; the same command goes on from there", err=True)
            raise
        tally = run.Tally()
        formats.write(output, form, _counted([part.rows()], tally), scores)
        part.remove()
    click.echo(f"wrote {output}", err=True)
    return told(tally)


def score_names(scorecard: Any, names: tuple[str, ...]) -> list[str]:
    """The scores that are asked for, by their names: all that are not disabled, unless some are given."""
    if names:
        return list(dict.fromkeys(scorecard.find(name).name for name in names))
    return [each.name for each in scorecard.scores if not each.configuration.disabled]


def told(tally: Any) -> int:
    """Says on standard error what became of the rows; 1 when a score failed, else 0."""
    said = f"{tally.rows} rows"
    for what, counts in (("skipped", tally.skipped), ("failed", tally.failed)):
        said += "".join(f"; {name}: {count} {what}" for name, count in counts.items())
    if tally.calls:
        tokens = f"{tally.input_tokens} tokens in, {tally.output_tokens} out"
        said += f"; {tally.calls} calls of models, {tokens}, {tally.cost} USD"
    if tally.unpriced:
        said += f", and {tally.unpriced} results of unknown price"
    click.echo(said, err=True)
    for error in tally.first:
        click.echo(f"  {error}", err=True)
    return 1 if tally.failed else 0


def _counted(chunks: Iterable[Iterable[dict[str, Any]]], tally: Any) -> Iterator[dict[str, Any]]:
    for chunk in chunks:
        for row in chunk:
            tally.count(row)
            yield row


def line(name: str, outcome: Any) -> str:
    """One line for people."""
    if isinstance(outcome, Exception):
        return f"{name}: {type(outcome).__name__}: {outcome}"
    confidence = "" if outcome.confidence is None else f" ({outcome.confidence:.0%})"
    explanation = " ".join((outcome.explanation or "").split())
    price = "price unknown" if outcome.cost is None else f"{outcome.cost} USD"
    cost = f" [calls: {outcome.usage.calls}, {price}]" if outcome.usage.calls else ""
    return f"{name}: {outcome.value}{confidence}" + (f" – {explanation}" if explanation else "") + cost
