"""What make hands on."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ODD = """{"text": "it's 5 o'clock, \\\\ and so on"}"""


@pytest.mark.parametrize(
    ("target", "variable"), [("invoke", "EVENT"), ("logs", "TEXT"), ("enqueue", "FILE"), ("lint-image", "IMAGE")]
)
def test_a_value_is_one_word_of_its_command(target: str, variable: str) -> None:
    """Spaces, quotes, commas and backslashes of a variable reach the command as they were given."""
    line = ["make", "--no-print-directory", "--dry-run", "--old-file=.venv/.environment", target, f"{variable}={ODD}"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ODD in shlex.split(done.stdout.splitlines()[-1])


def test_a_persons_settings_of_python_end_at_make(tmp_path: Path) -> None:
    """Whatever Python's own variables say, the project's programs start without them."""
    (tmp_path / "probe").write_text("include Makefile\nprobe:\n\t@env\n")
    given = {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONHOME": "/nowhere"}
    done = subprocess.run(
        ["make", "-f", str(tmp_path / "probe"), "probe"],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("PYTHON")] == []
    assert "PATH=" in done.stdout
