"""The folder that `plexus import` writes to, with a manifest of what was written: edited files are never replaced."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from plexus.exceptions import InvalidData
from plexus.whole_file import write_text

FILE_NAME = ".plexus-import.json"
FORMAT = 2
_FORCE = "next: compare them, then repeat the command with --force, or delete the file"
_ELSEWHERE = "next: choose another --output, or repeat the command with --force"
Action = Literal["written", "unchanged", "kept", "conflict", "removed"]


@dataclass(frozen=True)
class Written:
    """An entry of the manifest: what was imported, and what was written for it.

    `root`, relative to the output folder, is the folder or file that the command line named, and `source` the imported
    file, relative to that. `sha256` is the digest of the written file, in hex, and `key` its scorecard's key.
    """

    source: str
    sha256: str
    root: str = "."
    key: str | None = None


@dataclass(frozen=True)
class Output:
    """An imported file, below the `root` of its import; `text` is None for one that needs a hand."""

    source: Path
    root: Path
    text: str | None
    key: str | None


@dataclass(frozen=True)
class Change:
    """What became of one file of the output folder, and why; `conflict` is a file that somebody has to look at."""

    file: Path
    action: Action
    reason: str = ""


class Manifest:
    """The manifest of an output folder: what earlier imports wrote. Raises InvalidData if it is unreadable."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.entries = folder, _read(folder)
        self._roots = {(folder / entry.root).resolve() for entry in self.entries.values() if entry.root != "."}
        self._names = {self.find_source(entry): name for name, entry in self.entries.items()}

    def find_source(self, entry: Written) -> Path:
        """Return the absolute path of an entry's source."""
        return (self.folder / entry.root / entry.source).resolve()

    def locate(self, file: Path) -> tuple[Path, Path] | None:
        """Return where a file is written, relative to the output folder, and its root; None if neither is known.

        A file that an earlier import wrote stays where it is. A new file below the root of an earlier import is
        written where that import would have written it, even if imports since then have named only a part of the root.
        """
        source = file.resolve()
        if (name := self._names.get(source)) is not None:
            entry = self.entries[name]
            return Path(name), source if entry.root == "." else (self.folder / entry.root).resolve()
        roots = [root for root in self._roots if root != source and source.is_relative_to(root)]
        if not roots:
            return None
        root = max(roots, key=lambda path: len(path.parts))
        return source.relative_to(root), root

    def has_other_source(self, name: str, file: Path) -> bool:
        """Return whether an entry is of another file, which exists: a folder that was moved has the same files."""
        source = self.find_source(self.entries[name])
        return source != file.resolve() and source.is_file()

    def list_keys(self, files: Mapping[Path, Path]) -> tuple[dict[str, str], dict[str, str]]:
        """Return place → key of these files, place → file, in the earlier import, and key → place of all others.

        Places are POSIX paths below the folder. A place whose earlier source was another file is in neither result.
        """
        keys = {name: entry.key for name, entry in self.entries.items() if entry.key is not None}
        own = {place.as_posix(): file for place, file in files.items()}
        earlier = {
            name: keys[name] for name, file in own.items() if name in keys and not self.has_other_source(name, file)
        }
        return earlier, {key: name for name, key in keys.items() if name not in own}


def synchronize(
    manifest: Manifest, outputs: Mapping[Path, Output], imported: Sequence[Path], *, force: bool
) -> list[Change]:
    """Write scorecards to the manifest's folder, and remove those whose source is no longer a scorecard.

    `outputs` has each file to write; `imported` are the files and folders that were named on the command line, for
    which `outputs` is complete: scorecards of other sources are left alone. A file that differs from what an earlier
    import wrote is replaced or removed only with `force`.
    """
    folder, known = manifest.folder, manifest.entries
    entries: dict[str, Written] = {}
    changes: list[Change] = []
    for file, output in outputs.items():
        if output.text is None:
            continue
        name = Path(os.path.relpath(file, folder)).as_posix()
        change = _write(file, output.text, manifest, name, output.source, force=force)
        changes.append(change)
        if change.action != "conflict":
            entries[name] = _create_entry(output, output.text, folder)
        elif name in known:
            entries[name] = known[name]
    sources = {output.source.resolve(): (file, output.text) for file, output in outputs.items()}
    for name, entry in known.items():
        if name in entries:
            continue
        reason = _find_reason(manifest.find_source(entry), sources, imported)
        removal = None if reason is None else _remove(folder / name, reason, entry, force=force)
        changes += [] if removal is None else [removal]
        if reason is None or (removal is not None and removal.action == "conflict"):
            entries[name] = entry
    _save(folder, entries)
    return changes


def _create_entry(output: Output, text: str, folder: Path) -> Written:
    source, root = output.source.resolve(), output.root.resolve()
    return Written(
        os.path.relpath(source, root), _digest(text.encode()), os.path.relpath(root, folder.resolve()), output.key
    )


def _find_reason(source: Path, written: Mapping[Path, tuple[Path, str | None]], imported: Sequence[Path]) -> str | None:
    """Return why a source has no scorecard at the place of an earlier import; None if it is not of this import."""
    if source in written:
        file, text = written[source]
        return "its source needs a hand" if text is None else f"its source is written to {file}"
    if not any(source.is_relative_to(path.resolve()) for path in imported):
        return None
    return "its source is not a scorecard any more" if source.exists() else "its source does not exist any more"


def _write(file: Path, text: str, manifest: Manifest, name: str, source: Path, *, force: bool) -> Change:
    current, new, entry = _read_digest(file), _digest(text.encode()), manifest.entries.get(name)
    if entry is not None and manifest.has_other_source(name, source) and not force:
        other = manifest.find_source(entry)
        return Change(file, "conflict", f"not replaced: it is the scorecard of {other}. {_ELSEWHERE}")
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


def _remove(file: Path, reason: str, entry: Written, *, force: bool) -> Change | None:
    """Remove a file whose source has no scorecard any more; return None if the file does not exist."""
    current = _read_digest(file)
    if current is None:
        return None
    if current != entry.sha256 and not force:
        return Change(file, "conflict", f"not removed: it was edited after the import, and {reason}. {_FORCE}")
    file.unlink()
    return Change(file, "removed", reason)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_digest(file: Path) -> str | None:
    """Return the digest of a file's content, None if there is no file."""
    return _digest(file.read_bytes()) if file.is_file() else None


def _read(folder: Path) -> dict[str, Written]:
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] not in (1, FORMAT):  # 1: sources relative to the output folder, and no keys
            raise ValueError(f"format {content['format']}")
        entries = {name: Written(**entry) for name, entry in content["files"].items()}
        return {name: replace(entry, key=entry.key or _read_key(folder / name)) for name, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidData(
            f"cannot read the manifest of earlier imports: {path}: got {type(error).__name__}: {error}, expected "
            f"format {FORMAT}. next: choose another --output, or delete the file: then no existing file is replaced"
        ) from None


def _read_key(file: Path) -> str | None:
    """Return the key of a written scorecard; None if the file does not exist, or has none."""
    match = re.search(rb"(?m)^key: ['\"]?([a-z0-9_-]+)", file.read_bytes()) if file.is_file() else None
    return None if match is None else match[1].decode()


def _save(folder: Path, entries: Mapping[str, Written]) -> None:
    files = {name: asdict(entries[name]) for name in sorted(entries)}
    if files or (folder / FILE_NAME).exists():
        write_text(folder / FILE_NAME, json.dumps({"format": FORMAT, "files": files}, indent=1) + "\n")
