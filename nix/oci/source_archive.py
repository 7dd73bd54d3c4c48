"""The commit of a source archive, which has no `.git`: read from a stamp, and verified against the files.

`git archive` and the tarballs of forges replace the placeholders in `nix/commit.txt` by the commit and the name of its
tree object. That name is a hash of all tracked names, modes and contents: an archive can claim a commit only if its
files are exactly those of the commit.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

STAMP = "nix/commit.txt"
PLACEHOLDERS = b"$Format:%H %T$\n"
FILLED = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64})\n")

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
REGULAR, EXECUTABLE, LINK = "100644", "100755", "120000"  # git's modes


@dataclass(frozen=True)
class SourceFile:
    """A source file as git records it: its mode, and its content, or the target of a link."""

    mode: str
    data: bytes


@dataclass(frozen=True)
class SourceArchive:
    """An extracted archive: the stamped commit, its files less ignored ones, and whether they are the commit's."""

    commit: str
    files: Mapping[str, SourceFile]
    is_intact: bool


def read_source_archive(folder: Path) -> SourceArchive | None:
    """Read the archive extracted at `folder`; None if it has no stamp, as in a git checkout.

    Every file that the archive's .gitignore does not leave out is read and held: an added file makes it not intact, as
    an edited one does.
    """
    try:
        stamp = FILLED.fullmatch((folder / STAMP).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    if stamp is None:
        return None
    commit, expected = stamp.groups()
    tree = Tree(folder, "sha1" if len(expected) == 40 else "sha256")
    got = tree.name("")
    return SourceArchive(commit, tree.files, got is not None and got.hex() == expected)


def is_commit(name: str) -> bool:
    """Return whether the label of an image names a commit."""
    return bool(COMMIT.fullmatch(name))


def read_file(path: Path) -> SourceFile:
    """Read a file or link once, with the mode that git would record."""
    if path.is_symlink():
        return SourceFile(LINK, os.fsencode(path.readlink()))
    with path.open("rb") as file:
        return SourceFile(EXECUTABLE if os.fstat(file.fileno()).st_mode & 0o100 else REGULAR, file.read())


def hash_object(kind: bytes, data: bytes, algorithm: str) -> bytes:
    """Return the name of a git object, the hash of its header and its bytes."""
    return hashlib.new(algorithm, kind + b" %d\0" % len(data) + data, usedforsecurity=False).digest()


class Tree:
    """Computes the names of git's tree objects for a folder, as in its commit; `files` collects the files read."""

    def __init__(self, folder: Path, algorithm: str) -> None:
        self._folder, self._algorithm = folder, algorithm
        self._ignored = list(ignore_patterns(folder / ".gitignore"))
        self.files: dict[str, SourceFile] = {}

    def name(self, path: str) -> bytes | None:
        """Return the object name of the directory `path` (`""` is the root); None if it has no tracked files."""
        entries = []
        with os.scandir(self._folder / path) as listing:
            for entry in listing:
                inner = f"{path}/{entry.name}".lstrip("/")
                is_folder = entry.is_dir(follow_symlinks=False)
                if inner == ".git" or any(matches(pattern, inner, is_folder) for pattern in self._ignored):
                    continue
                mode, name = (b"40000", self.name(inner)) if is_folder else self._file(inner)
                if name is not None:
                    # git sorts a directory as if its name ended in a slash.
                    entries.append((os.fsencode(entry.name) + b"/" * is_folder, mode, name))
        if not entries:
            return None
        rows = (mode + b" " + key.rstrip(b"/") + b"\0" + name for key, mode, name in sorted(entries))
        return hash_object(b"tree", b"".join(rows), self._algorithm)

    def _file(self, path: str) -> tuple[bytes, bytes]:
        result = self.files[path] = read_file(self._folder / path)
        data = PLACEHOLDERS if path == STAMP else result.data
        return result.mode.encode(), hash_object(b"blob", data, self._algorithm)


def ignore_patterns(path: Path) -> Iterator[str]:
    """Yield the patterns of a .gitignore: of git's, those without `!`, without `**`, and without a slash inside."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    yield from (line for line in text.splitlines() if line and not line.startswith("#"))


def matches(pattern: str, path: str, is_folder: bool) -> bool:
    """Return whether a .gitignore pattern matches; `/name` at the root, else any name, `name/` for directories only."""
    if pattern.endswith("/") and not is_folder:
        return False
    name = pattern.strip("/")
    return fnmatchcase(path if pattern.startswith("/") else path.rpartition("/")[2], name)
