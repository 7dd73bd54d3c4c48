"""`plexus evaluate`: how well a score does on labelled texts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexus.commands import options

if TYPE_CHECKING:
    from plexus.context import Context
    from plexus.evaluation.labels import Labelled
    from plexus.evaluation.paired import Comparison
    from plexus.evaluation.report import Evaluation


@click.command(name="evaluate", short_help="Tell how well the values agree with labels.")
@options.card
@click.option("--score", "name", metavar="NAME", help="The score's name or key; needed where the card has several.")
@options.labelled
@click.option(
    "--against",
    metavar="CARD.yaml",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Another scorecard, whose score of that name is judged on the same texts.",
)
@click.option("--against-score", metavar="NAME", help="The other score's name, where it is not the same.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file.")
@click.option("--show-text", is_flag=True, help="Quote the texts of the most confident mistakes.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many rows.")
@click.option("--least", type=click.FloatRange(0, 1), metavar="ACCURACY", help="Exit 1 when the accuracy is lower.")
@options.store
@options.asking
@options.as_json
def command(
    card: Path,
    name: str | None,
    data_file: Path | None,
    text_column: str,
    label: str,
    against: Path | None,
    against_score: str | None,
    html: Path | None,
    show_text: bool,
    limit: int | None,
    least: float | None,
    store: Path,
    as_json: bool,
    **asking: Any,
) -> int:
    """Score labelled texts and print how well the values agree with the labels.

    Texts that failed are counted and told, and stand outside the figures; exit 1 when there are any.
    """
    from plexus.evaluation import labels, report

    if data_file is None:
        raise click.UsageError("--data is missing: a CSV, JSONL or Parquet file with labelled texts")
    if html is not None:
        writable(html)
    texts = labels.read(data_file, text_column, label, limit)
    context = options.context(store, **asking)
    found = evaluated(card, name, data_file, texts, context, called(card, against))
    other = None
    if against is not None or against_score is not None:
        second = against or card
        other = evaluated(second, against_score or name, data_file, texts, context, called(second, card))
    compared = report.against(found, other) if other is not None else None
    show(found, other, compared, html, show_text=show_text, as_json=as_json)
    return verdict(found, least)


def show(
    found: Evaluation,
    other: Evaluation | None,
    compared: Comparison | None,
    html: Path | None,
    *,
    show_text: bool,
    as_json: bool,
) -> None:
    """Writes the page, and prints the figures as tables or as JSON."""
    from plexus.evaluation.tables import tables

    if html is not None:
        from plexus.commands.train import write_whole
        from plexus.evaluation import page

        write_whole(html, page.render(found, other=other, compared=compared, show_text=show_text))
    if as_json:
        told = found.as_dict(show_text=show_text)
        if other is not None and compared is not None:
            told["against"] = other.as_dict(show_text=show_text)
            told["comparison"] = {**vars(compared), "difference": compared.difference}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    click.echo(tables(found, other, compared, show_text=show_text), nl=False)
    if html is not None:
        click.echo(f"wrote {html}")


def writable(path: Path) -> None:
    """Raises click.FileError before the work rather than after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from None
    if not os.access(path.parent, os.W_OK):
        raise click.FileError(str(path), "no file can be made in its folder")


def called(card: Path, other: Path | None) -> str:
    """A card's file name; with its folder where the other card's is the same."""
    return str(card) if other is not None and other != card and other.name == card.name else card.name


def evaluated(
    card: Path, name: str | None, data_file: Path, texts: list[Labelled], context: Context, called: str
) -> Evaluation:
    """The figures of one scorecard's score; `called` is what they call the card.

    Raises InvalidScorecard, UnknownScore, InvalidData, InvalidArtifact.
    """
    from dataclasses import replace

    import plexus
    from plexus.evaluation import judging, labels, report

    scorecard = plexus.load_file(card)
    if name is None and len(scorecard.scores) > 1:
        known = ", ".join(repr(each.name) for each in scorecard.scores)
        raise click.UsageError(f"{card} has several scores: choose one with --score: {known}")
    score = scorecard.find(name) if name is not None else scorecard.scores[0]
    context = replace(context, folder=scorecard.folder)
    declared = labels.declared(scorecard, score, context)
    wanted = labels.normal(texts, declared, score.name)
    with options.progress(len(wanted), score.name) as bar:
        judged = judging.judge(scorecard, score, wanted, context, declared=declared, step=bar.update)
    subject = report.Subject(
        called, score.name, score.configuration.class_name, score.configuration_hash, data_file.name
    )
    return report.evaluate(subject, judged, declared, alone=judging.asks_models(scorecard, score))


def verdict(found: Evaluation, least: float | None) -> int:
    """1 for texts that failed, or an accuracy below `least`; else 0."""
    if found.failed:
        click.echo(f"{found.failed} of {found.texts} texts failed", err=True)
        return 1
    if least is not None and (found.accuracy.value or 0.0) < least:
        click.echo(f"the accuracy {found.accuracy.value or 0.0:.3f} is below {least:.3f}", err=True)
        return 1
    return 0
