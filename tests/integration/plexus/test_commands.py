"""Commands as processes: stopped and resumed, interrupted, in constant memory, over the example scorecards."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from plexus.commands.test import format_line, run

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = sorted((ROOT / "examples/scorecards").glob("*.yaml"))
CARD = """
name: Returns
key: returns
scores:
  - {name: Refund, class: KeywordClassifier, keywords: [refund]}
"""
ROWS = 40_000
RUN = ("run", "card.yaml", "--data", "texts.csv", "--id", "id", "--output", "out.csv")
PATIENCE_S = 300
# What wait4 reports of a process is at least what its parent had, and so the memory of all tests before.
PEAK = """
import re, sys
from pathlib import Path
from plexus.commands import main
try:
    main(sys.argv[1:])
finally:
    print(re.findall(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[0], file=sys.stderr)
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A card, and so many texts that a run over them can be stopped."""
    (tmp_path / "card.yaml").write_text(CARD)
    write_texts(tmp_path, ROWS)
    return tmp_path


def write_texts(folder: Path, rows: int) -> None:
    """Write texts.csv: an id, a text and its label in each row."""
    lines = ["id,text,label", *(f"r{number},refund {number} late,Yes" for number in range(rows))]
    (folder / "texts.csv").write_text("\n".join(lines) + "\n")


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command of the library in a folder. It handles Ctrl-C even if pytest was started with SIGINT ignored."""
    return subprocess.Popen(
        [sys.executable, "-m", "plexus", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_until(ready: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_stopped_run_is_resumed_after_its_last_whole_row(files: Path, number: signal.Signals, status: int) -> None:
    """After kill -9 or Ctrl-C the same command scores the rest: each row once, in order, a torn line again."""
    part = files / "out.csv.part"
    process = start(files, *RUN)
    wait_until(lambda: part.exists() and part.read_bytes().count(b"\n") > 60)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == status
    assert not (files / "out.csv").exists()
    if number is signal.SIGINT:
        assert "run the same command again to resume" in errors
    kept = part.read_bytes().count(b"\n") - 1
    assert 60 <= kept < ROWS
    with part.open("ab") as torn:
        torn.write(b'{"row": 99999, "id"')
    process = start(files, *RUN)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert f"resuming: {kept} of {ROWS} rows are scored" in errors
    with (files / "out.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [f"r{number}" for number in range(ROWS)]
    assert not part.exists()


@pytest.mark.parametrize(
    ("file", "content", "changed"),
    [
        ("card.yaml", CARD.replace("[refund]", "[refunds]"), "another scorecard."),
        ("texts.csv", "id,text\na,x\n", "another data."),
    ],
)
def test_rows_of_another_run_are_not_mixed_in(files: Path, file: str, content: str, changed: str) -> None:
    """A changed card or file is named; --restart begins anew."""
    part = files / "out.csv.part"
    process = start(files, *RUN)
    wait_until(lambda: part.exists() and part.read_bytes().count(b"\n") > 60)
    process.kill()
    process.communicate()
    (files / file).write_text(content)
    process = start(files, *RUN)
    assert f"belongs to a run with {changed}" in process.communicate()[1]
    assert process.returncode == 1
    process = start(files, *RUN, "--restart")
    process.communicate()
    assert process.returncode == 0
    assert (files / "out.csv").read_text().count("\n") == 1 + (ROWS if file == "card.yaml" else 1)


def test_memory_does_not_grow_with_the_rows(files: Path) -> None:
    """Three times the rows take less than a tenth more memory, once there are more than the dialect is found by."""

    def peak(rows: int) -> int:
        write_texts(files, rows)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, "run", "card.yaml", "--data", "texts.csv", "--json"],
            cwd=files,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
        return int(done.stderr.split()[-1])

    assert peak(120_000) < 1.1 * peak(40_000)


def test_an_interrupted_evaluation_exits_with_130(files: Path) -> None:
    """Ctrl-C: one word, no traceback, and no half-written page."""
    write_texts(files, 400_000)
    process = start(files, "evaluate", "card.yaml", "--data", "texts.csv", "--html", "page.html")
    opened = Path(f"/proc/{process.pid}/fd")
    wait_until(lambda: any(each.resolve().name == "texts.csv" for each in opened.iterdir()))
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, errors.strip()) == (130, "", "interrupted")
    assert sorted(each.name for each in files.iterdir()) == ["card.yaml", "texts.csv"]


@pytest.mark.parametrize("card", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_pass_their_own_tests(card: Path, tmp_path: Path) -> None:
    """Every example has tests, and each gives what it promises."""
    verdicts = list(run(card, tmp_path))
    assert verdicts
    assert [format_line(one) for one in verdicts if not one.passed] == []


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0"])
def test_standard_input_is_read_under_every_name(tmp_path: Path, name: str) -> None:
    """`-`, /dev/stdin and /dev/fd/0 are the same pipe, and its rows are read as often as they are needed."""
    (tmp_path / "card.yaml").write_text(CARD)
    done = subprocess.run(
        [sys.executable, "-m", "plexus", "run", "card.yaml", "--data", name, "--id", "id"],
        input=b"id;text\n0;a refund\n",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    assert done.stdout.splitlines()[1].startswith(b"1,0,Yes,")
    assert b": CSV, semicolons\n" in done.stderr
