"""The bytes of a build, by the real git: those of the commit wherever `git status` is clean, else those of the tree."""

import os
from pathlib import Path

import pytest

from nix.oci.source_archive import SourceFile
from nix.revision import SourceProblem, read_checkout
from tests.checkouts import ROWS, Change, git

FOLDERS = ("plexus", "handler")
FILES = {
    "plexus/__init__.py": b"# $Id$\n",
    "plexus/learning/train.py": b"one\r\ntwo\n",
    "handler/app.py": b"caf\xc3\xa9\n",
    "handler/run": b"#!/bin/sh\n",
    "docs/page.md": b"page\n",
}
COMMITTED = {
    "plexus/__init__.py": SourceFile("100644", FILES["plexus/__init__.py"]),
    "plexus/learning/train.py": SourceFile("100644", FILES["plexus/learning/train.py"]),
    "handler/app.py": SourceFile("100644", FILES["handler/app.py"]),
    "handler/link": SourceFile("120000", b"app.py"),
    "handler/run": SourceFile("100755", FILES["handler/run"]),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A committed repository with a program, a link, and line ends of both kinds."""
    folder = tmp_path / "repository"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "handler/run").chmod(0o755)
    (folder / "handler/link").symlink_to("app.py")
    (folder / ".gitattributes").write_text("* -text\n")
    git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_a_clean_checkout_has_the_bytes_of_its_commit(row: Change, repository: Path) -> None:
    """Modes and bytes are those of the named commit, even if a setting hides a difference from `git status`."""
    row(repository)
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == ""
    result = read_checkout(FOLDERS, repository)
    assert result.commit == git(repository, "rev-parse", "HEAD")
    assert result.files == COMMITTED


def test_a_sparse_index_has_the_whole_commit(repository: Path) -> None:
    """A folder that the index itself leaves out is read from the commit."""
    git(repository, "sparse-checkout", "set", "--cone", "--sparse-index", "handler", "docs")
    assert not (repository / "plexus").exists()
    assert read_checkout(FOLDERS, repository).files == COMMITTED


@pytest.mark.parametrize("words", [["--depth=1"], ["--filter=blob:none"], ["--shared"], ["--bare"]], ids="".join)
def test_a_clone_of_another_kind_has_the_same_bytes(words: list[str], repository: Path, tmp_path: Path) -> None:
    """Shallow, partial and shared clones and linked work trees give the same files."""
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", *words, f"file://{repository}", "clone")
    folder = tmp_path / "clone"
    if words == ["--bare"]:
        git(folder, "worktree", "add", "-q", str(tmp_path / "linked"))
        folder = tmp_path / "linked"
    assert read_checkout(FOLDERS, folder) == read_checkout(FOLDERS, repository)


def test_the_files_are_written_as_they_were_committed(repository: Path, tmp_path: Path) -> None:
    """Files are written with their bytes, the modes 0644 and 0755 whatever the umask, and links as links."""
    before = os.umask(0o077)
    try:
        read_checkout(FOLDERS, repository).write(tmp_path / "out", "handler")
    finally:
        os.umask(before)
    out = tmp_path / "out/handler"
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in out.iterdir() if not path.is_symlink()} == {
        "app.py": "0o644",
        "run": "0o755",
    }
    assert (out / "app.py").read_bytes() == FILES["handler/app.py"]
    assert (out / "link").readlink() == Path("app.py")
    assert not (tmp_path / "out/plexus").exists()


@pytest.mark.parametrize("is_changed", [False, True])
def test_an_edit_after_the_files_were_read_is_not_written(is_changed: bool, repository: Path, tmp_path: Path) -> None:
    """Key and bytes of a layer are from one read: an edit during a build is in none of both."""
    if is_changed:
        (repository / "handler/app.py").write_bytes(b"edited\n")
    source = read_checkout(FOLDERS, repository)
    (repository / "handler/app.py").write_bytes(b"edited meanwhile\n")
    source.write(tmp_path / "out", "handler")
    assert (tmp_path / "out/handler/app.py").read_bytes() == source.files["handler/app.py"].data
    assert (source.files["handler/app.py"].data == FILES["handler/app.py"]) == (not is_changed)


def relink(folder: Path) -> None:
    """Replace a link by another one."""
    (folder / "handler/link").unlink()
    (folder / "handler/link").symlink_to("run")


def stage_file(folder: Path) -> None:
    """Add a file to the index."""
    (folder / "handler/new.py").write_bytes(b"new\n")
    git(folder, "add", "handler/new.py")


def without(name: str) -> dict[str, SourceFile]:
    """Return the committed files less one."""
    return {path: file for path, file in COMMITTED.items() if path != name}


DIRTY: dict[str, tuple[Change, dict[str, SourceFile]]] = {
    "edited": (
        lambda folder: (folder / "handler/app.py").write_bytes(b"edited\n"),
        COMMITTED | {"handler/app.py": SourceFile("100644", b"edited\n")},
    ),
    "another mode": (
        lambda folder: (folder / "handler/app.py").chmod(0o755),
        COMMITTED | {"handler/app.py": SourceFile("100755", FILES["handler/app.py"])},
    ),
    "another link": (relink, COMMITTED | {"handler/link": SourceFile("120000", b"run")}),
    "deleted": (lambda folder: (folder / "handler/app.py").unlink(), without("handler/app.py")),
    "staged": (stage_file, COMMITTED | {"handler/new.py": SourceFile("100644", b"new\n")}),
    "elsewhere": (lambda folder: (folder / "docs/page.md").write_text("edited\n"), COMMITTED),
}


@pytest.mark.parametrize(("change", "expected"), DIRTY.values(), ids=list(DIRTY))
def test_a_changed_checkout_has_the_files_that_git_would_commit(
    change: Change, expected: dict[str, SourceFile], repository: Path
) -> None:
    """Changed tracked files are those of the work tree; no commit is named, and the repository is not written."""
    change(repository)
    before = sorted(path.name for path in (repository / ".git").rglob("*"))
    index = (repository / ".git/index").stat().st_mtime_ns
    result = read_checkout(FOLDERS, repository)
    assert (result.commit, result.files) == (None, expected)
    assert sorted(path.name for path in (repository / ".git").rglob("*")) == before
    assert (repository / ".git/index").stat().st_mtime_ns == index


@pytest.mark.parametrize("row", ["core.fileMode=false", "sparse", "line ends", "smudge filter", "no links"])
def test_an_edit_changes_its_file_only(row: str, repository: Path) -> None:
    """In a checkout whose files are not those of the commit byte for byte, an edit of one file leaves the others."""
    ROWS[row](repository)
    (repository / "handler/app.py").write_bytes(b"edited\n")
    result = read_checkout(FOLDERS, repository)
    assert result.files == COMMITTED | {"handler/app.py": SourceFile("100644", b"edited\n")}


def test_an_object_that_git_has_lost_is_an_error(repository: Path) -> None:
    """A missing object is reported with its name, and nothing is read in its place."""
    name = git(repository, "rev-parse", "HEAD:handler/app.py")
    (repository / ".git/objects" / name[:2] / name[2:]).unlink()
    with pytest.raises(SourceProblem, match=f"git object {name}: got '{name} missing'\nnext: git fsck"):
        read_checkout(FOLDERS, repository)
