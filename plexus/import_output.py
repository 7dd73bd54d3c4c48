"""The folder that `plexus import` writes to, with a manifest of what was written: edited files are never replaced."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from plexus.exceptions import InvalidData
from plexus.whole_file import write_text

FILE_NAME = ".plexus-import.json"
FORMAT = 1
_FORCE = "next: compare them, then repeat the command with --force, or delete the file"
Action = Literal["written", "unchanged", "kept", "conflict", "removed"]


@dataclass(frozen=True)
class Written:
    """An entry of the manifest: the imported file, relative to the output folder, and what was written for it.

    `sha256` is the digest of the written file, in hex.
    """

    source: str
    sha256: str


@dataclass(frozen=True)
class Change:
    """What became of one file of the output folder, and why; `conflict` is a file that somebody has to look at."""

    file: Path
    action: Action
    reason: str = ""


def synchronize(
    folder: Path, cards: Mapping[Path, tuple[Path, str]], imported: Sequence[Path], *, force: bool
) -> list[Change]:
    """Write scorecards to a folder, and remove those whose source is no longer a scorecard.

    `cards` has the source and the text of each file to write; `imported` are the files and folders that were named on
    the command line, for which `cards` is complete. A file that differs from what an earlier import wrote is replaced
    or removed only with `force`. Raises InvalidData for an unreadable manifest, before anything is written.
    """
    known = _read(folder)
    entries: dict[str, Written] = {}
    changes: list[Change] = []
    for file, (source, text) in cards.items():
        name = os.path.relpath(file, folder)
        change = _write(file, text, known.get(name), force=force)
        changes.append(change)
        if change.action != "conflict":
            entries[name] = Written(os.path.relpath(source, folder), _digest(text.encode()))
        elif name in known:
            entries[name] = known[name]
    for name, entry in known.items():
        if folder / name in cards:
            continue
        if not _is_below(folder / entry.source, imported):
            entries[name] = entry
        elif (removal := _remove(folder / name, folder / entry.source, entry, force=force)) is not None:
            changes.append(removal)
            if removal.action == "conflict":
                entries[name] = entry
    _save(folder, entries)
    return changes


def _write(file: Path, text: str, entry: Written | None, *, force: bool) -> Change:
    current, new = _read_digest(file), _digest(text.encode())
    if current == new:
        return Change(file, "unchanged")
    if current is None or force or (entry is not None and entry.sha256 == current):
        write_text(file, text)
        return Change(file, "written")
    if entry is None:
        return Change(file, "conflict", f"not replaced: no import wrote it. {_FORCE}")
    if entry.sha256 == new:
        return Change(file, "kept", "edited after the import, whose result is the same as before")
    return Change(file, "conflict", f"not replaced: it was edited after the import, and its source changed. {_FORCE}")


def _remove(file: Path, source: Path, entry: Written, *, force: bool) -> Change | None:
    """Remove a file whose source has no scorecard any more; return None if the file does not exist."""
    current = _read_digest(file)
    if current is None:
        return None
    reason = "its source needs a hand" if source.exists() else "its source does not exist any more"
    if current != entry.sha256 and not force:
        return Change(file, "conflict", f"not removed: it was edited after the import, and {reason}. {_FORCE}")
    file.unlink()
    return Change(file, "removed", reason)


def _is_below(source: Path, imported: Sequence[Path]) -> bool:
    return any(source.resolve().is_relative_to(path.resolve()) for path in imported)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_digest(file: Path) -> str | None:
    """Return the digest of a file's content, None if there is no file."""
    return _digest(file.read_bytes()) if file.is_file() else None


def _read(folder: Path) -> dict[str, Written]:
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        return {name: Written(**entry) for name, entry in content["files"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidData(
            f"cannot read the manifest of earlier imports: {path}: got {type(error).__name__}: {error}, expected "
            f"format {FORMAT}. next: choose another --output, or delete the file: then no existing file is replaced"
        ) from None


def _save(folder: Path, entries: Mapping[str, Written]) -> None:
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    if files or (folder / FILE_NAME).exists():
        write_text(folder / FILE_NAME, json.dumps({"format": FORMAT, "files": files}, indent=1) + "\n")
