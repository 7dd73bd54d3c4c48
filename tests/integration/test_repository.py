"""Rules for every file of the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "nix/locks").glob("*.lock"))


def made_with(*words: str) -> str:
    """Return what `make` prints with these words."""
    return subprocess.run(["make", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_no_address(path: Path) -> None:
    """Locks hold names, versions, hashes and pool paths; the clients' own configuration says where files come from."""
    assert not re.search(r"[a-z]+://|index-url", path.read_text())


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_pin_in_a_lock_has_its_hash(path: Path) -> None:
    """A pinned requirement is followed by at least one sha256 before the next one begins."""
    pins = re.split(r"^(?=[a-zA-Z0-9_.-]+==)", path.read_text(), flags=re.M)[1:]
    assert [pin.split()[0] for pin in pins if "sha256:" not in pin] == []


def test_help_lists_every_target() -> None:
    """`make help` has a line for each target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text()
    phony = {word for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.M) for word in line.split()}
    listed = set(re.findall(r"^  make ([a-z-]+)", made_with("help"), re.M))
    assert listed == phony


@pytest.mark.parametrize("words", [("SHOW=a", "DELETE=a"), ("SHOW=a", "REDRIVE=1"), ("DELETE=a", "REDRIVE=1")])
def test_dead_letters_have_one_fate_at_a_time(words: tuple[str, ...]) -> None:
    """`make dlq` with two of SHOW, REDRIVE and DELETE does neither: a slip must not delete."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        made_with("-n", "dlq", *words)
    assert "SHOW, REDRIVE and DELETE exclude each other" in caught.value.stderr
    assert "scripts dlq" not in caught.value.stdout


def test_a_file_of_code_stays_small() -> None:
    """No Python file passes 350 lines, so that each can be read in one sitting."""
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "*.py"], capture_output=True, text=True, check=True
    ).stdout
    long = {name: count for name in tracked.split() if (count := (ROOT / name).read_text().count("\n")) > 350}
    assert not long


def test_folders_that_the_readme_creates_are_ignored() -> None:
    """Virtual environments that README.md creates inside the checkout never appear in `git status`."""
    folders = re.findall(r"python3 -m venv (\S+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert folders
    for folder in folders:
        path = f"{folder}/bin/python"
        assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0, folder
