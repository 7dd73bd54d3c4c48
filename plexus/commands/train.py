"""`plexus train`: models and cassettes become artifacts, and a copy of the scorecard names them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from plexus.commands import options
from plexus.exceptions import PlexusError


@click.command(name="train", short_help="Train scores, pack cassettes, print their digests.")
@options.card
@options.score
@options.labelled
@click.option(
    "--store",
    "--output",
    "store",
    type=click.Path(path_type=Path, file_okay=False),
    default=options.STORE,
    show_default=True,
    help="Folder that keeps the artifacts.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the scorecard with all digests filled in to this file.",
)
@options.as_json
def command(
    card: Path,
    names: tuple[str, ...],
    data_file: Path | None,
    text_column: str,
    label: str,
    store: Path,
    write: Path | None,
    as_json: bool,
) -> None:
    """Train the scores that are trained, pack cassettes, print the artifacts' digests.

    Without --data a score's own `data` says where its labelled texts are. The same data give the same digest.
    """
    import plexus
    from plexus.artifacts import FolderArtifacts
    from plexus.publishing import Source, publish

    if data_file is None and options.given("text_column", "label"):
        raise click.UsageError("--text and --label go with --data; a score's own columns stand in its `data`")
    source = None if data_file is None else Source(data_file, text_column, label)
    with options.Bars() as bars:
        published = publish(plexus.load_file(card), FolderArtifacts(store), names=names, source=source, watch=bars)
    if write is not None:
        write_whole(write, published.text)
    made = [asdict(each) for each in published.made]
    if as_json:
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
        return
    if not made:
        click.echo("nothing to train: no score that is asked for has a model or a cassette")
    for each in made:
        click.echo(f"{each['score']}: {each['key']} {each['digest']}" + _described(each["report"]))
    if write is not None:
        click.echo(f"wrote {write}")


def _described(report: dict[str, Any] | None) -> str:
    if report is None:
        return ""
    chosen = ", ".join(f"{name}={value}" for name, value in report["parameters"].items())
    labels = ", ".join(f"{label} {count}" for label, count in report["labels"].items())
    return (
        f"\n  {report['texts']} texts ({labels}); accuracy {report['accuracy']:.3f} in {report['folds']}-fold "
        f"cross-validation; {chosen}"
    )


def write_whole(path: Path, text: str) -> None:
    """The file appears complete or not at all. Raises PlexusError where it cannot be written."""
    half: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".half-", delete=False) as file:
            half = Path(file.name)
            file.write(text)
        half.chmod(0o644)
        half.replace(path)
    except OSError as error:
        if half is not None:
            half.unlink(missing_ok=True)
        raise PlexusError(f"cannot write {path}: {error.strerror or error}") from None
