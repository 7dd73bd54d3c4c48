"""No command replaces a file that it did not write."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plexus.commands import group

HEAD = "name: Mail\nkey: mail\nscores:\n  - name: Kind\n    class: "
CARD = HEAD + "KeywordClassifier\n    keywords: [win]\n    found: spam\n    not_found: ham\n"
TRAINED = HEAD + "SVMClassifier\n    data: {file: mail.csv}\n"
OUTPUTS = [
    ("train trained.yaml --store store --write {}", "copy.yaml"),
    ("evaluate card.yaml --data mail.csv --html {}", "page.html"),
    ("evaluate card.yaml --data mail.csv --output {}", "verdicts.csv"),
    ("data look mail.csv --html {}", "look.html"),
    ("data clean mail.csv --output {}", "clean.csv"),
    ("compare card.yaml card.yaml --data mail.csv --output {}", "differences.csv"),
]
AGAIN = {"copy.yaml", "page.html", "look.html"}  # these are made again and again while a card is written


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two scorecards and labelled texts, in the current folder."""
    rows = [f"you win prize {number},spam\nsee you at {number},ham" for number in range(8)]
    (tmp_path / "mail.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (tmp_path / "card.yaml").write_text(CARD)
    (tmp_path / "trained.yaml").write_text(TRAINED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str, path: Path, *more: str) -> Result:
    """Run a command line of `plexus` that writes to the path."""
    return CliRunner().invoke(group, [*command.format(path).split(), *more], standalone_mode=False)


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_a_foreign_file_is_kept(command: str, name: str, files: Path) -> None:
    """A file with other content is named and kept; `--replace` replaces it."""
    path = files / name
    path.write_text("my notes\n")
    assert f"{path}: exists, and this command did not write it. next: --replace" in str(run(command, path).exception)
    assert path.read_text() == "my notes\n"
    assert run(command, path, "--replace").exception is None
    assert path.read_text() != "my notes\n"


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_pages_and_trained_copies_are_made_again(command: str, name: str, files: Path) -> None:
    """The same command replaces its own page or copy; a table, which may have been edited since, only if asked."""
    path = files / name
    path.touch()
    assert run(command, path).exception is None
    assert path.stat().st_size
    assert (run(command, path).exception is None) == (name in AGAIN)


@pytest.mark.parametrize(("command", "name"), OUTPUTS)
def test_a_file_that_is_read_is_never_replaced(command: str, name: str, files: Path) -> None:
    """The card and the texts stay, with `--replace` too."""
    for path in {files / word for word in command.split() if (files / word).is_file()}:
        before = path.read_text()
        assert run(command, path, "--replace").exception is not None
        assert path.read_text() == before
