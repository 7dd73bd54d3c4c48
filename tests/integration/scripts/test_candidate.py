"""The comparison of the last built image with the work tree, in a git repository."""

import subprocess
from pathlib import Path

import pytest

from nix.assembly.output import hash_source
from nix.build import READ
from nix.revision import read_checkout
from scripts.checkout.layout import LocalImage, read_image
from scripts.release.candidate import compare_with_tree
from tests.layouts import Layer, write_layout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a handler and a page, both committed."""
    folder = tmp_path / "checkout"
    for name in ("handler/app.py", "docs/page.md"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as a user of the test's own."""
    user = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
    subprocess.run(["git", *user, "-C", str(folder), *words], check=True, timeout=60)


@pytest.fixture
def built(tmp_path: Path) -> LocalImage:
    """Return an image."""
    write_layout(tmp_path / "image", [Layer({"a": b"1"})])
    return read_image(tmp_path / "image")


def test_an_image_of_other_files_than_the_work_tree_has_is_reported(repository: Path, built: LocalImage) -> None:
    """Edits of the image's sources count, committed or not; edits of other files, and edits taken back, do not."""
    record = {"digest": built.digest, "source": hash_source(read_checkout(READ, repository))}
    assert compare_with_tree(built, record, repository) == ""
    (repository / "docs/page.md").write_text("2\n")
    assert compare_with_tree(built, record, repository) == ""
    (repository / "handler/app.py").write_text("2\n")
    warning = compare_with_tree(built, record, repository)
    assert "was not built from the files in this work tree" in warning
    git(repository, "commit", "--quiet", "--all", "--message", "Edit")
    assert compare_with_tree(built, record, repository) == warning
    (repository / "handler/app.py").write_text("1\n")
    assert compare_with_tree(built, record, repository) == ""


@pytest.mark.parametrize("record", [{}, {"digest": "sha256:0"}], ids=["no record", "another image's record"])
def test_an_image_of_unknown_sources_is_reported(record: dict[str, str], repository: Path, built: LocalImage) -> None:
    """An image without a record of its own, as one that was copied here, counts as built from other files."""
    record["source"] = hash_source(read_checkout(READ, repository)) if record else ""
    assert "was not built from the files in this work tree" in compare_with_tree(built, record, repository)
