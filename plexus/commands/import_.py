"""`plexus import`: read scorecards of the original Plexus, and write them as scorecards of this library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexus.problems import pluralize

if TYPE_CHECKING:
    from plexus.importing import ImportedCard
    from plexus.importing.output_folder import Change, Manifest

#: Kinds of remarks that are printed without --all.
_SUMMARY = ("error", "changed")
_MOST_NAMES = 5  # skipped files that are named


@click.command(name="import", short_help="Read scorecards of the original Plexus.")
@click.argument(
    "paths", metavar="FILE|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True)
)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="Write the scorecards to this folder.")
@click.option("--force", is_flag=True, help="With --output: also replace and remove files that were edited since.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Also write the report as a web page.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--all", "whole", is_flag=True, help="Also print what was renamed and dropped.")
def command(
    paths: tuple[Path, ...], output: Path | None, force: bool, report: Path | None, as_json: bool, whole: bool
) -> int:
    """Read scorecards of the original Plexus, and write them as scorecards of this library.

    \b
    Each file loads as it is, is translated, or needs a hand. Nothing is executed.
    A repeated import replaces and removes what the last one wrote, unless it was edited.
    Exit codes: 0; 1 if a file needs a hand, or was edited and is out of date.
    """
    from plexus import importing
    from plexus.card_files import find_cards, find_others
    from plexus.importing import output_folder
    from plexus.whole_file import write_text

    listed = list({file.resolve(): (path, file) for path in paths for file in find_cards(path)}.values())
    if not listed:
        raise click.UsageError(f"no YAML or JSON file in {', '.join(map(str, paths))} is a scorecard")
    manifest = None if output is None else output_folder.Manifest(output)
    places = [_place(path, file, manifest) for path, file in listed]
    targets = [(output or Path()) / place for place, _ in places]
    _check_targets(listed, targets, output, report)
    files = [(file, place) for (_, file), (place, _) in zip(listed, places, strict=True)]
    known = ({}, {}) if manifest is None else manifest.list_keys({place: file for file, place in files})
    imported = importing.import_cards(files, *known)
    outputs = {
        target: output_folder.Output(file, root, card.text, card.key)
        for target, (_, file), (_, root), card in zip(targets, listed, places, imported, strict=True)
    }
    changes = [] if manifest is None else output_folder.synchronize(manifest, outputs, paths, force=force)
    if report is not None:
        write_text(report, importing.render(imported))
    if as_json:
        click.echo(json.dumps([asdict(card) for card in imported], indent=2, ensure_ascii=False))
    else:
        _print(imported, whole=whole)
    _print_changes(changes)
    _print_others([file for path in paths for file in find_others(path)])
    counts = {verdict: sum(card.verdict == verdict for card in imported) for verdict in importing.VERDICTS}
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    click.echo(f"{pluralize(len(imported), 'file')}: {summary}", err=True)
    return 1 if counts["needs a hand"] or any(change.action == "conflict" for change in changes) else 0


def _place(path: Path, file: Path, manifest: Manifest | None) -> tuple[Path, Path]:
    """Return where a file's scorecard goes, relative to the output, and the file or folder that was named for it.

    This is where an earlier import wrote it, else as it lies below the folder that was named. JSON becomes YAML.
    """
    from plexus.card_files import is_yaml

    place, root = (manifest and manifest.locate(file)) or (
        file.relative_to(path) if path.is_dir() else Path(file.name),
        path,
    )
    return place if is_yaml(place) else place.with_suffix(".yaml"), root


def _check_targets(
    listed: Sequence[tuple[Path, Path]], targets: Sequence[Path], output: Path | None, report: Path | None
) -> None:
    """Raise UsageError that lists every file that would be written over an input or over another one's scorecard."""
    inputs = {file.resolve() for _, file in listed}
    taken: dict[Path, Path] = {}
    problems = []
    if report is not None and report.resolve() in inputs:
        problems.append(f"{report} is a file that is imported. next: choose another --report")
    for (_, file), target in zip(listed, targets, strict=True) if output is not None else ():
        if target.resolve() in inputs:
            problems.append(f"{target} is a file that is imported. next: choose another --output")
        elif (first := taken.setdefault(target.resolve(), file)) != file:
            problems.append(
                f"{first} and {file} would both become {target}. next: name their folder, or import them apart"
            )
    if problems:
        raise click.UsageError("\n".join(problems))


def _print(imported: Sequence[ImportedCard], *, whole: bool) -> None:
    for card in imported:
        click.echo(f"{card.file}: {card.verdict}")
        for remark in card.remarks:
            if whole or remark.kind in _SUMMARY:
                click.echo(f"  line {remark.line}: {remark.kind}: {remark.message}")


def _print_changes(changes: Sequence[Change]) -> None:
    for change in changes:
        if change.reason:
            action = "kept" if change.action == "conflict" else change.action
            click.echo(f"{change.file}: {action}: {change.reason}", err=True)


def _print_others(others: Sequence[Path]) -> None:
    if others:
        rest = ", …" if len(others) > _MOST_NAMES else ""
        names = ", ".join(map(str, others[:_MOST_NAMES])) + rest
        click.echo(f"skipped {pluralize(len(others), 'file')} without a scorecard: {names}", err=True)
