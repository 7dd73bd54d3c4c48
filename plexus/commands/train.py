"""`plexus train`: make artifacts of models and cassettes, and write a scorecard that names them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexus.commands import options
from plexus.problems import pluralize
from plexus.tables.output import check_output, check_replaced
from plexus.whole_file import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexus.evaluation.confusion import ClassFigures
    from plexus.learning.training import Report
    from plexus.publishing import PublishedArtifact


@click.command(name="train", short_help="Train scores and pack cassettes.")
@options.card
@options.score
@options.labelled_data
@click.option(
    "--store",
    "--output",
    "store",
    type=click.Path(path_type=Path, file_okay=False),
    default=options.STORE,
    show_default=True,
    help="Folder of artifacts.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a copy of the scorecard that names all artifacts by digest.",
)
@options.replace
@options.as_json
def command(
    card: Path,
    names: tuple[str, ...],
    data_file: Path | None,
    text_column: str,
    label: str,
    layout: options.Layout,
    store: Path,
    write: Path | None,
    is_replaced: bool,
    as_json: bool,
) -> None:
    """Train the scores that are trained, pack cassettes, and print the artifacts' digests.

    Labelled texts are read from --data, or by default from the file in a score's own `data`. The same texts give the
    same digest on any machine.
    """
    import plexus
    from plexus.artifacts import FolderArtifacts
    from plexus.publishing import LabelledFile, publish

    if data_file is None and options.find_explicit("text_column", "label", *options.LAYOUT):
        raise click.UsageError(
            "--text, --label, --encoding, --sheet and --header-row require --data; "
            "a score's own columns are set in its `data`"
        )
    if write is not None:
        _check_copy(write, [card, *([] if data_file is None else [data_file])], replace=is_replaced)
    source = None if data_file is None else LabelledFile(data_file, text_column, label, layout)
    with options.TrainingBars() as bars:
        published = publish(plexus.load_file(card), FolderArtifacts(store), names=names, source=source, watch=bars)
    for artifact in published.artifacts:
        options.print_notes(*(f"{artifact.score}: {note}" for note in artifact.notes))
    if write is not None:
        write_text(write, published.text)
    if as_json:
        click.echo(json.dumps([*map(_as_dict, published.artifacts)], indent=2, ensure_ascii=False))
        return
    _print_artifacts(published.artifacts)
    if write is not None:
        click.echo(f"wrote {write}")


def _check_copy(path: Path, inputs: Sequence[Path], *, replace: bool) -> None:
    """Raise click.UsageError or InvalidData if the copy would not be YAML, or would replace anything but a copy."""
    from plexus.card_files import is_yaml

    if not is_yaml(path):
        raise click.UsageError(f"--write {path}: expected a name in .yaml or .yml")
    check_output(path, inputs)
    check_replaced(path, replace=replace, mark="sha256:")


def _print_artifacts(artifacts: Sequence[PublishedArtifact]) -> None:
    if not artifacts:
        click.echo("nothing to train: none of the scores has a model or a cassette")
    for artifact in artifacts:
        click.echo(f"{artifact.score}: {artifact.key} {artifact.digest}" + _summarize(artifact.report))


def _as_dict(artifact: PublishedArtifact) -> dict[str, object]:
    fields = asdict(artifact)
    del fields["notes"]  # they are on stderr
    if artifact.report is not None:
        interval, chosen = _measure(artifact.report)
        fields["report"] |= {"interval": interval, "precision": chosen and chosen.precision}
        fields["report"]["precision_interval"] = chosen and chosen.precision_interval
    return fields


def _measure(report: Report) -> tuple[tuple[float, float] | None, ClassFigures | None]:
    """Return the 95 % interval of the objective's value, and the figures of its class if it names one.

    The interval is None with too few texts of a class.
    """
    from plexus.evaluation import intervals
    from plexus.evaluation.confusion import Confusion
    from plexus.evaluation.proportions import wilson
    from plexus.text import fold

    table = Confusion(tuple(report.labels), tuple(map(tuple, report.confusion)))
    target = report.objective["of"]
    if target is not None:
        chosen = next(each for each in table.classes if fold(each.label) == fold(target))
        return chosen.recall_interval, chosen
    is_accuracy = report.objective["kind"] == "accuracy"
    return (wilson(table.right, table.total) if is_accuracy else intervals.macro_f1(table)), None


def _summarize(report: Report | None) -> str:
    if report is None:
        return ""
    from plexus.evaluation.formats import format_counts

    parameters = ", ".join(f"{name}={value}" for name, value in report.parameters.items())
    labels = format_counts(list(report.labels.items()))
    names = {"accuracy": "accuracy", "macro_f1": "macro F1"}
    goal = names.get(report.objective["kind"], f"recall of {report.objective['of']}")
    interval, chosen = _measure(report)
    figures = f"{goal} {report.score:.3f} ({_format_interval(interval)})"
    if chosen is not None:
        reached = "0 / 0" if chosen.precision is None else f"{chosen.precision:.3f}"
        reached += f" ({_format_interval(chosen.precision_interval)})" if chosen.precision_interval else ""
        figures += f" at a precision of {reached}, expected at least {report.objective['precision']},"
    lines = f"\n  {report.texts} texts ({labels}); {figures} in {report.folds}-fold cross-validation"
    lines += f", best of {pluralize(report.candidates, 'candidate')}; {parameters}"
    return lines + _describe_near_duplicates(report)


def _describe_near_duplicates(report: Report) -> str:
    if not report.near_duplicates:
        return ""
    place = "each in the fold of its original"
    if not report.is_grouped:
        place = "not kept in one fold, which would have all texts of a label: the figures may be too good"
    return f"\n  {pluralize(report.near_duplicates, 'near-duplicate')}, {place}"


def _format_interval(interval: Sequence[float] | None) -> str:
    return "95 %: too few of a class" if interval is None else f"95 %: {interval[0]:.3f} to {interval[1]:.3f}"
