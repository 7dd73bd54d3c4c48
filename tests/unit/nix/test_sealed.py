"""Folders of the cache that programs are run from: what is noticed of a change, and what it costs."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nix.cache import sealed
from nix.oci.nar import nar_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed folder with a program, a link and a folder."""
    folder = tmp_path / "entry" / "root"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/encoder.py").write_text("pass\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("run")
    sealed.seal(folder, sealed.compute_fingerprint(folder), nar_hash(folder))
    return folder


def flip(folder: Path) -> None:
    """Change a byte, and restore the times that a program can set."""
    path = folder / "lib/encoder.py"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"P")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def pipe(folder: Path) -> None:
    """Replace a file by a pipe, whose reader would wait."""
    (folder / "run").unlink()
    os.mkfifo(folder / "run")


def rewrite(path: Path) -> None:
    """Write a file's own bytes again."""
    path.write_bytes(path.read_bytes())


def come_and_go(path: Path) -> None:
    """Create and remove a file beside `path`."""
    path.with_name("new").touch()
    path.with_name("new").unlink()


def relink(folder: Path) -> None:
    """Replace a link by another one."""
    (folder / "link").unlink()
    (folder / "link").symlink_to("lib")


CHANGES: dict[str, Callable[[Path], object]] = {
    "flipped": flip,
    "cut": lambda folder: (folder / "run").write_bytes(b""),
    "removed": lambda folder: (folder / "run").unlink(),
    "added": lambda folder: (folder / "lib/sitecustomize.py").touch(),
    "another mode": lambda folder: (folder / "run").chmod(0o644),
    "another link": relink,
    "a pipe": pipe,
    "gone": shutil.rmtree,
    "seal flipped": lambda folder: (folder.parent / "seal").write_text("0" * 64 + " " + "0" * 64),
    "seal removed": lambda folder: (folder.parent / "seal").unlink(),
    "seal of no text": lambda folder: (folder.parent / "seal").write_bytes(b"\xff"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_altered_folder_is_not_verified(change: Callable[[Path], object], folder: Path) -> None:
    """Any change below a folder or in its seal breaks the seal."""
    assert sealed.verify(folder, None)
    change(folder)
    assert sealed.verify(folder, None) is None


@pytest.mark.parametrize("name", [name for name in CHANGES if name.startswith("seal")])
def test_a_lost_seal_costs_one_reading_if_the_hash_is_known(name: str, folder: Path) -> None:
    """A root, whose hash is in a lock, is read again and sealed again if its seal is altered."""
    expected = nar_hash(folder)
    CHANGES[name](folder)
    assert sealed.verify(folder, expected)
    assert sealed.read_seal(folder)[0] == expected


def test_a_copy_is_verified_by_its_content(folder: Path, tmp_path: Path) -> None:
    """A copied cache has other times and inodes: its content is read once, and it is sealed again."""
    copied = Path(shutil.copytree(folder.parent, tmp_path / "copy", symlinks=True)) / "root"
    before = sealed.read_seal(copied)
    assert sealed.verify(copied, None) == sealed.compute_fingerprint(copied)
    assert sealed.read_seal(copied)[2] != before[2]


def test_a_change_that_was_undone_is_noticed(folder: Path) -> None:
    """A file that was written and restored, or came and went, changes the fingerprint: a program may have read it."""
    for change in (rewrite, come_and_go):
        before = sealed.compute_fingerprint(folder)
        change(folder / "lib/encoder.py")
        assert sealed.compute_fingerprint(folder) != before
        assert sealed.verify(folder, None)


def test_bytecode_of_a_root_of_its_own_is_ignored(folder: Path) -> None:
    """Names that are no part of a root change neither its fingerprint nor its hash."""
    (folder / "lib/__pycache__").mkdir()
    ignored = frozenset({"__pycache__"})
    mark, expected = sealed.compute_fingerprint(folder, ignored), nar_hash(folder, ignored)
    (folder / "lib/__pycache__/encoder.pyc").touch()
    assert sealed.verify(folder, expected, ignored) == mark
    assert sealed.verify(folder, expected) is None
