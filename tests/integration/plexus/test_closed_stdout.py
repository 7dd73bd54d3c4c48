"""Commands whose reader has enough, as `| head` has."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CARD = "name: C\nkey: c\nscores:\n  - {name: A, class: KeywordClassifier, keywords: [refund]}\n"


def unread(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and standard error of a command whose standard output has lost its reader."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "plexus", *words]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)
    return done.returncode, done.stderr


def test_rows_that_nobody_reads_are_not_scored(tmp_path: Path) -> None:
    """After `| head` the run ends soon, and quietly: what only prints has nothing left to do."""
    (tmp_path / "texts.csv").write_text("text\n" + "a refund\n" * 20_000)
    (tmp_path / "card.yaml").write_text(CARD)
    code, output = unread(tmp_path, "run", "card.yaml", "--data", "texts.csv")
    assert code == 0
    assert int(output.split(" rows")[0]) < 5_000


def test_the_exit_code_tells_the_same_when_nobody_reads(tmp_path: Path) -> None:
    """A card with an error fails lint, and one without passes it."""
    (tmp_path / "wrong.yaml").write_text("name: C\nkey: c\nscores: []\n")
    assert unread(tmp_path, "lint", "wrong.yaml")[0] == 1
    assert unread(tmp_path, "lint", "--rules") == (0, "")
