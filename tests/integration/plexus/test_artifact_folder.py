"""A folder of artifacts that several processes write."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from plexus.commands import evaluate, run, train

ROOT = Path(__file__).resolve().parents[3]


def test_processes_that_add_the_same_at_once_both_find_it(tmp_path: Path) -> None:
    """Four processes put twenty artifacts each into one folder: nothing is half, nothing is left over."""
    program = (
        "import sys, pathlib; from plexus.artifacts import FolderArtifacts\n"
        "place, store = pathlib.Path(sys.argv[1]), FolderArtifacts(sys.argv[2])\n"
        "for n in range(20):\n"
        "    (place / 'model').write_text(str(n) * 5000)\n"
        "    digest = store.put(place)\n"
        "    assert (store.get(digest) / 'model').read_text() == str(n) * 5000\n"
    )
    store, folders = tmp_path / "store", [tmp_path / f"p{n}" for n in range(4)]
    for folder in folders:
        folder.mkdir()
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(folders[n]), str(store)], cwd=ROOT) for n in range(4)
    ]
    assert [process.wait(300) for process in processes] == [0] * 4
    assert len(list(store.iterdir())) == 20


def invoke(verb: click.Command, *words: str) -> Result:
    """Return the result of a command in the working folder."""
    return CliRunner().invoke(verb, words, standalone_mode=False)


def test_a_trained_card_finds_its_model_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of artifacts above the card is found; if it is elsewhere, the message names the option for it."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "cards").mkdir(parents=True)
    elsewhere.mkdir()
    lines = [f"refund {n} please,Yes\nthanks {n} a lot,No\n" for n in range(20)]
    (home / "texts.csv").write_text("text,label\n" + "".join(lines))
    (home / "cards/c.yaml").write_text("name: C\nkey: c\nscores:\n  - {name: Refund, class: SVMClassifier}\n")
    monkeypatch.chdir(home)
    trained = invoke(train.command, "cards/c.yaml", "--data", "texts.csv", "--write", "cards/t.yaml")
    assert trained.exception is None
    monkeypatch.chdir(elsewhere)
    (elsewhere / "build/artifacts").mkdir(parents=True)  # of other cards
    data = ["--data", str(home / "texts.csv")]
    for verb in (run.command, evaluate.command):
        result = invoke(verb, str(home / "cards/t.yaml"), *data)
        assert result.exception is None, result.stderr
    (elsewhere / "t.yaml").write_text((home / "cards/t.yaml").read_text())
    assert "next: plexus train, or --store FOLDER" in str(invoke(run.command, "t.yaml", "a refund").stdout)
    store = ["--store", str(home / "build/artifacts")]
    assert invoke(run.command, "t.yaml", *data, *store).exception is None
    missing = invoke(run.command, str(home / "cards/t.yaml"), *data, "--store", "none")
    assert "in none. next: plexus train, or --store FOLDER" in str(missing.exception)
