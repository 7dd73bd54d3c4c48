"""Write the champion versions of the stage's scores to files.

score-processor versions FOLDER [--scorecard KEY]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from plexus.original.cards import create_key
from plexus.whole_file import write_text

from .aws import dynamodb
from .aws.clients import Aws
from .aws.dynamodb import Record
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .console.text import pluralize
from .jobs import results


@dataclass(frozen=True)
class Versions:
    """The files that were written, and the scores that have none, each with the reason."""

    files: list[str]
    skipped: list[dict[str, str]]


def _render(done: Versions, shell: Shell) -> None:
    for file in done.files:
        shell.print(file, markup=False)
    for entry in done.skipped:
        shell.print(f"skipped {entry['score']}: {entry['reason']}", markup=False)
    shell.say(f"{pluralize(len(done.files), 'version')}, {pluralize(len(done.skipped), 'score')} skipped")


@verb(render=_render)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--scorecard", default="", help="Only scores of this scorecard (key, name or id).")
def main(shell: Shell, folder: Path, scorecard: str) -> Versions:
    """Write the champion version of every score to FOLDER/SCORECARD/SCORE.yaml, for `plexus import`.

    The folder must be new or empty, so that it has no version of a score that no longer exists. The three tables
    Scorecard, Score and ScoreVersion are read, and nothing is written to them.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise OperationFailed(
            f"{folder} is not empty: got files in it, expected a new folder", f"delete {folder}, or name another"
        )
    cards = [results.find(shell.aws, "Scorecard", scorecard)] if scorecard else dynamodb.scan(shell.aws, "Scorecard")
    scores = sorted(dynamodb.scan(shell.aws, "Score"), key=lambda score: str(score["id"]))
    files: dict[Path, str] = {}
    skipped: list[dict[str, str]] = []
    names = _name_files(cards)
    listed = [score for score in scores if score.get("scorecardId") in names]
    texts = _read_champions(shell.aws, listed)
    for card in names:
        own = _name_files(score for score in listed if score["scorecardId"] == card)
        for score in (score for score in listed if score["id"] in own):
            text, version = texts.get(score.get("championVersionId")), score.get("championVersionId")
            if score.get("isDisabled") or not text:
                missing = f"its champion version {version} does not exist" if version else "it has no champion version"
                reason = "it is disabled" if score.get("isDisabled") else missing
                skipped.append({"score": f"{names[card]}/{own[score['id']]}", "reason": reason})
            else:
                files[folder / names[card] / f"{own[score['id']]}.yaml"] = text
    for file, text in sorted(files.items()):
        write_text(file, text)
    return Versions([*map(str, sorted(files))], skipped)


def _read_champions(aws: Aws, scores: Iterable[Record]) -> dict[object, str]:
    """Return the configuration of each score's champion version, by the version's id."""
    ids = sorted({str(score["championVersionId"]) for score in scores if score.get("championVersionId")})
    records = dynamodb.get(aws, "ScoreVersion", ids, ("configuration",))
    return {record["id"]: record["configuration"] for record in records if record.get("configuration")}


def _name_files(records: Iterable[Record]) -> dict[str, str]:
    """Return a name of ASCII letters for each record by id: its key's or its name's, with its id if others have it."""
    names: dict[str, str] = {}
    for record in records:
        name = create_key(str(record.get("key") or record.get("name") or record["id"]), "_-")
        names[record["id"]] = create_key(f"{name}-{record['id']}", "_-") if name in names.values() else name
    return names
