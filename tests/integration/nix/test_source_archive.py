"""The revision of a source archive, made by the real git."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nix.oci.source_archive import PLACEHOLDERS, STAMP
from nix.revision import read_checkout
from tests import checkouts

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "nix/commit.txt": PLACEHOLDERS,
    ".gitattributes": (ROOT / ".gitattributes").read_bytes(),
    ".gitignore": (ROOT / ".gitignore").read_bytes(),
    "handler/app.py": b"pass\n",
    "handler.txt": b"sorts between handler and handler/\n",
    "handler/run": b"#!/bin/sh\r\n",
}


def git(folder: Path, *words: str) -> str:
    """Run git as a user whose settings convert line endings."""
    return checkouts.git(folder, "-c", "core.autocrlf=true", *words)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the project's own attributes, a program and a symbolic link, committed."""
    folder = tmp_path / "repository"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "handler/run").chmod(0o755)
    (folder / "handler/link").symlink_to("app.py")
    git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def extracted(repository: Path, tmp_path: Path) -> Path:
    """A tarball of the commit, extracted in a folder of no repository."""
    folder = tmp_path / "extracted"
    folder.mkdir()
    git(repository, "archive", "--output", str(tmp_path / "source.tar.gz"), "HEAD")
    subprocess.run(["tar", "-xzf", tmp_path / "source.tar.gz", "-C", folder], check=True)
    return folder


def test_an_archive_is_what_its_commit_is(repository: Path, extracted: Path) -> None:
    """An extracted tarball has the revision and the tracked files of the git checkout."""
    expected = read_checkout(("handler", "flake.nix"), repository)
    assert expected.commit == git(repository, "rev-parse", "HEAD")
    assert read_checkout(("handler", "flake.nix"), extracted) == expected


def test_what_builds_leave_behind_does_not_count(repository: Path, extracted: Path) -> None:
    """Ignored files do not change the revision of an archive, nor are they part of it."""
    for name in ("build/image/index.json", "handler/__pycache__/app.pyc", ".venv/bin/python", "handler/old.pyc"):
        (extracted / name).parent.mkdir(parents=True, exist_ok=True)
        (extracted / name).touch()
    assert read_checkout(("handler",), extracted) == read_checkout(("handler",), repository)


def relink(folder: Path) -> None:
    """Let a symbolic link lead to another file."""
    (folder / "handler/link").unlink()
    (folder / "handler/link").symlink_to("run")


CHANGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda folder: (folder / "handler/app.py").write_text("raise\n"),
    "added": lambda folder: (folder / "handler/new.py").touch(),
    "removed": lambda folder: (folder / "handler.txt").unlink(),
    "without its mode": lambda folder: (folder / "handler/run").chmod(0o644),
    "another link": relink,
    "another commit": lambda folder: (folder / STAMP).write_text(f"{'0' * 40} {'0' * 40}\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_altered_archive_claims_no_commit(change: Callable[[Path], object], extracted: Path) -> None:
    """If any file is not the commit's, none is named and a warning says so."""
    change(extracted)
    result = read_checkout(("handler",), extracted)
    assert result.commit is None
    assert {path: file.data for path, file in result.files.items()} == {
        path.relative_to(extracted).as_posix(): bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in (extracted / "handler").iterdir()
    }
    assert "the files are not those of commit" in result.warning
    assert "its digest is not that of a commit" in result.warning


def test_a_zip_extracted_without_modes_claims_no_commit(repository: Path, tmp_path: Path) -> None:
    """Python's zipfile drops modes and links; that is not the commit any more."""
    git(repository, "archive", "--format=zip", "--output", str(tmp_path / "source.zip"), "HEAD")
    with zipfile.ZipFile(tmp_path / "source.zip") as archive:
        archive.extractall(tmp_path / "unzipped")
    assert read_checkout(("handler",), tmp_path / "unzipped").commit is None


def test_a_copy_without_git_is_announced(repository: Path, tmp_path: Path) -> None:
    """A copy of a checkout, with the placeholders still in the stamp, has a warning and no commit."""
    repository.rename(tmp_path / "copy")
    (tmp_path / "copy/.git").rename(tmp_path / "git")
    result = read_checkout(("handler",), tmp_path / "copy")
    assert (result.commit, "handler/app.py" in result.files) == (None, True)
    assert "neither a git checkout nor an archive made by git archive" in result.warning


def test_an_archive_inside_another_repository_is_itself(repository: Path, extracted: Path) -> None:
    """The repository around an extracted archive does not name its commit."""
    git(extracted.parent, "init", "-q")
    assert read_checkout(("handler",), extracted) == read_checkout(("handler",), repository)
