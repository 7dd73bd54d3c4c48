"""The files of a folder that are scorecards, by their names and, of JSON files, by their keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from plexus import document, original
from plexus.exceptions import InvalidScorecard

_YAML = (".yaml", ".yml")
_JSON = ".json"


def is_yaml(path: Path) -> bool:
    """Return whether a file has the suffix of a YAML file, in any case."""
    return path.suffix.lower() in _YAML


def find_cards(path: Path) -> Iterator[Path]:
    """Yield the file itself, or every scorecard below a folder, sorted, without hidden files and folders.

    Each YAML file counts as a scorecard. A JSON file, which may also be a cassette or a table, counts if it has a
    scorecard's keys.
    """
    yield from (file for file, is_card in _classify(path) if is_card)


def find_others(path: Path) -> Iterator[Path]:
    """Yield the files below a folder that `find_cards` leaves out, sorted, without hidden ones.

    Links to nothing, pipes, and folders whose names end like those of scorecards are among them.
    """
    yield from (file for file, is_card in _classify(path) if not is_card)


def _classify(path: Path) -> Iterator[tuple[Path, bool]]:
    if not path.is_dir():
        yield path, True
        return
    for file in sorted(path.rglob("*")):
        if any(part.startswith(".") for part in file.relative_to(path).parts):
            continue
        if file.is_file():
            yield file, is_yaml(file) or (file.suffix.lower() == _JSON and _has_card(file))
        elif is_yaml(file) or not file.is_dir():
            yield file, False


def _has_card(file: Path) -> bool:
    try:
        value = document.parse(file.read_text(encoding="utf-8"), str(file)).value
    except (OSError, UnicodeDecodeError, InvalidScorecard):
        return False
    return isinstance(value, dict) and ("scores" in value or original.is_original(value))
