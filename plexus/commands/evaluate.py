"""`plexus evaluate`: measure how well a score agrees with labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from plexus.commands import options
from plexus.exceptions import InvalidData, require_packages
from plexus.problems import pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexus.context import Context
    from plexus.evaluation.proportions import Comparison
    from plexus.evaluation.report import Evaluation
    from plexus.evaluation.runs import Earlier
    from plexus.tables.labels import Labelled


@click.command(name="evaluate", short_help="Measure how well a score agrees with labels.")
@options.card
@click.option("--score", "name", metavar="NAME", help="Name or key of the score; required if the card has several.")
@options.labelled_data
@click.option(
    "--against",
    metavar="CARD.yaml",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compare with the score of that name in another scorecard.",
)
@click.option("--against-score", metavar="NAME", help="Name of the other score, if it differs.")
@click.option(
    "--beside",
    metavar="RUN.json",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Show accuracy and cost of this earlier run on the page: what --json printed.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the verdict on every text to this file: .csv, .tsv, .xlsx, .jsonl or .parquet.",
)
@options.replace
@click.option("--show-text", is_flag=True, help="Include the texts, and the explanations of their values.")
@click.option("--limit", type=click.IntRange(1), help="Use the first N rows only.")
@click.option(
    "--least", type=click.FloatRange(0, 1), metavar="ACCURACY", help="Exit 1 if a smaller share of all texts is right."
)
@options.store
@options.model_options
@options.as_json
def command(
    card: Path,
    name: str | None,
    data_file: Path | None,
    text_column: str,
    label: str,
    layout: options.Layout,
    against: Path | None,
    against_score: str | None,
    beside: tuple[Path, ...],
    html: Path | None,
    output: Path | None,
    is_replaced: bool,
    show_text: bool,
    limit: int | None,
    least: float | None,
    store: Path,
    as_json: bool,
    **model_options: Unpack[options.ModelOptions],
) -> int:
    """Score labelled texts and print how well the values agree with the labels.

    Texts that failed are counted, listed and left out of all other figures; exit 1 if there are any.
    """
    from plexus.evaluation import report, runs

    require_packages("evaluation", "plexus evaluate", "numpy", "scipy")
    if data_file is None:
        raise click.UsageError("--data is required: a table with labelled texts")
    check_outputs(html, output, [data_file, card, against, model_options["record"]], beside, replace=is_replaced)
    earlier = [runs.read(path) for path in beside]
    texts = check_texts(read_texts(data_file, text_column, label, layout, limit), output, show_text=show_text)
    context = options.create_context(options.find_store(store, [card, against]), **model_options)
    evaluation = evaluate_score(card, name, data_file, texts, context, name_of(card, against))
    for run in earlier:
        run.require_texts_of(evaluation)
    other = comparison = None
    if against is not None or against_score is not None:
        second = against or card
        other = evaluate_score(second, against_score or name, data_file, texts, context, name_of(second, card))
        comparison = report.compare_evaluations(evaluation, other)
    write_files(html, output, evaluation, other, comparison, earlier, show_text=show_text)
    show(evaluation, other, comparison, html, show_text=show_text, as_json=as_json)
    return exit_code(evaluation, least)


def read_texts(file: Path, text: str, label: str, layout: options.Layout, limit: int | None) -> list[Labelled]:
    """Return the labelled texts of a table, at most `limit`, and print what was detected. Raises InvalidData."""
    from plexus.tables import labels, open_table

    with open_table(file, [text, label], **layout) as table:
        texts = labels.read_labelled(table, text, label, limit)
        options.print_notes(table.notice and f"{table.name}: {table.notice}")
    return texts


def write_files(
    html: Path | None,
    output: Path | None,
    evaluation: Evaluation,
    other: Evaluation | None,
    comparison: Comparison | None,
    earlier: Sequence[Earlier],
    *,
    show_text: bool,
) -> None:
    """Write the page, then the verdict on every text; each appears complete or not at all. Raises PlexusError."""
    from plexus.evaluation import page, verdicts
    from plexus.tables.output import format_of
    from plexus.whole_file import write_text

    if html is not None:
        runs = [run.run for run in earlier]
        write_text(html, page.render(evaluation, other=other, compared=comparison, show_text=show_text, earlier=runs))
    if output is not None:
        verdicts.write(output, format_of(output, None), evaluation, other, show_text=show_text)
        options.print_notes(f"wrote {output}")


def show(
    evaluation: Evaluation,
    other: Evaluation | None,
    comparison: Comparison | None,
    html: Path | None,
    *,
    show_text: bool,
    as_json: bool,
) -> None:
    """Print the figures as tables or as JSON."""
    from plexus.evaluation import tables

    if as_json:
        document = evaluation.as_dict(show_text=show_text)
        if other is not None and comparison is not None:
            document["against"] = other.as_dict(show_text=show_text)
            document["comparison"] = {**vars(comparison), "difference": comparison.difference}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    click.echo(tables.render(evaluation, other, comparison, show_text=show_text), nl=False)
    if html is not None:
        click.echo(f"wrote {html}")


def check_outputs(
    html: Path | None, output: Path | None, inputs: Sequence[Path | None], earlier: Sequence[Path], *, replace: bool
) -> None:
    """Check before any text is scored that both files can be written, and replace no file that is read.

    An earlier page is replaced by the page; any other file with content only if `replace`.

    Raises click.FileError for a folder, InvalidData for a format or an input, and click.UsageError for earlier runs
    without the page that shows them.
    """
    from plexus.tables.output import check_output, check_replaced, format_of

    if earlier and html is None:
        raise click.UsageError("--beside requires --html")
    for path in (html, output):
        if path is not None:
            options.check_writable(path)
            check_output(path, [each for each in (*inputs, *earlier) if each is not None])
            check_replaced(path, replace=replace, mark=options.PAGE_MARK if path is html else "")
    if output is not None:
        format_of(output, None)


def check_texts(texts: list[Labelled], output: Path | None, *, show_text: bool) -> list[Labelled]:
    """Return the texts if the file of verdicts can have them. Raises InvalidData before any of them is scored."""
    from plexus.tables.output import check_cells, check_number_of_rows, format_of

    if output is not None:
        form = format_of(output, None)
        check_number_of_rows(form, len(texts))
        for text in texts:
            check_cells(form, text.row, {"label": text.label, **({"text": text.item.text} if show_text else {})})
    return texts


def name_of(card: Path, other: Path | None) -> str:
    """Return a card's file name, with its folder if the other card has the same file name."""
    return str(card) if other is not None and other != card and other.name == card.name else card.name


def evaluate_score(
    card: Path, name: str | None, data_file: Path, texts: list[Labelled], context: Context, card_name: str
) -> Evaluation:
    """Score the texts with one score and return its figures; `card_name` is the card's name in tables and pages.

    Raises click.UsageError if the card has several scores and `name` is None, InvalidScorecard, UnknownScore,
    InvalidData and InvalidArtifact. Texts that fail are counted, and raise nothing.
    """
    from dataclasses import replace

    import plexus
    from plexus.evaluation import labels, predictions, report
    from plexus.tables.labels import normalize

    scorecard = plexus.load_file(card)
    if name is None and len(scorecard.scores) > 1:
        known = ", ".join(repr(each.name) for each in scorecard.scores)
        raise click.UsageError(f"{card} has several scores. next: --score NAME, one of {known}")
    score = scorecard.find(name) if name is not None else scorecard.scores[0]
    context = replace(context, folder=scorecard.folder)
    declared = labels.list_declared(scorecard, score, context)
    mapping = score.configuration.data.labels if score.configuration.data is not None else {}
    try:
        labelled = normalize(texts, declared, score.name, mapping)
    except InvalidData as error:  # of two cards, each may have a score of this name
        raise InvalidData(f"{card_name}: {error}") from None
    learned = labels.count_in_training_data(scorecard, score, labelled.texts)
    options.print_notes(*labelled.notes, describe_learned(card_name, score.name, learned, labelled.texts))
    with options.create_progress(len(labelled.texts), score.name) as bar:
        scored = predictions.predict(scorecard, score, labelled.texts, context, declared=declared, step=bar.update)
    subject = report.Subject(
        card_name,
        score.name,
        score.configuration.class_name,
        score.configuration_hash,
        data_file.name,
        labels.find_abstention(score),
        learned,
    )
    return report.evaluate(subject, scored, declared, alone=predictions.asks_models(scorecard, score))


def describe_learned(card: str, score: str, learned: int | None, texts: Sequence[Labelled]) -> str:
    """Return the warning that texts are in a score's training data; empty if none are known to be."""
    if not learned:
        return ""
    return (
        f"{card}: {learned} of {pluralize(len(texts), 'text')} are in the training data of {score!r}: the model has "
        "learned them, so the figures are too good. next: evaluate other texts"
    )


def exit_code(evaluation: Evaluation, least: float | None) -> int:
    """Return 1 if texts failed or the accuracy is below `least`, else 0; print which on stderr."""
    if evaluation.failed:
        click.echo(f"{evaluation.failed} of {pluralize(evaluation.texts, 'text')} failed", err=True)
        return 1
    accuracy = evaluation.accuracy_of_all.value or 0.0
    if least is not None and accuracy < least:
        which = "accuracy of all texts" if evaluation.abstained else "accuracy"
        click.echo(f"{which}: got {accuracy:.3f}, expected at least {least:.3f}", err=True)
        return 1
    return 0
