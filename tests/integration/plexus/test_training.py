"""Training in a process of its own: one digest on every processor, progress, errors and Ctrl-C reach the user."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from plexus.commands.train import command as train_command
from plexus.evaluation.proportions import wilson
from plexus.exceptions import InvalidData, PlexusError
from plexus.learning.training_process import pin_environment, train_here, train_in_process
from tests.integration.plexus import digests

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "examples/items/train.csv"
CARD = """
name: Reviews
key: reviews
scores:
  - {name: Words, class: SVMClassifier}
  - {name: Boosted, class: ExplainableClassifier}
"""
#: What a user's shell may say about arithmetic; none of it may change a model.
CALLERS: dict[str, dict[str, str]] = {
    "nothing": {},
    "Sandybridge": {"OPENBLAS_CORETYPE": "Sandybridge"},
    "Haswell, threads, a hash seed": {
        "OPENBLAS_CORETYPE": "Haswell",
        "OPENBLAS_NUM_THREADS": "2",
        "OMP_NUM_THREADS": "2",
        "PYTHONHASHSEED": "7",
    },
    "Prescott, NumPy's and glibc's variants off": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",
    },
}


def plexus(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """Return a command of the library, in a folder that holds the card."""
    (folder / "card.yaml").write_text(CARD)
    command = [sys.executable, "-m", "plexus", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def train(folder: Path, caller: Mapping[str, str]) -> list[str]:
    """Return the digests that `plexus train --json` prints."""
    folder.mkdir()
    process = plexus(folder, "train", "card.yaml", "--data", str(DATA), "--store", "store", "--json", **caller)
    printed, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    return [artifact["digest"] for artifact in json.loads(printed)]


def test_the_callers_environment_does_not_change_a_digest(tmp_path: Path) -> None:
    """BLAS kernel, threads, NumPy's and glibc's variants and hash seed are the training's own."""
    results = {name: train(tmp_path / str(place), caller) for place, (name, caller) in enumerate(CALLERS.items())}
    assert list(results.values()) == [results["nothing"]] * len(CALLERS)


def test_two_emulated_processors_give_the_digest_of_this_one(tmp_path: Path) -> None:
    """A processor without AVX and one with AVX2 and FMA train the same model as this one."""
    emulator = digests.emulator()
    processes = {
        cpu: digests.start(tmp_path / cpu, [*emulator, "-cpu", cpu] if cpu else [])
        for cpu in ("", "Nehalem", "Haswell")
    }
    results = {cpu: digests.finish(process) for cpu, process in processes.items()}
    assert len(results[""]) == len(digests.CLASSES)
    assert results["Nehalem"] == results[""]
    assert results["Haswell"] == results[""]


def test_scores_are_the_same_bits_on_every_processor(tmp_path: Path) -> None:
    """Features, distances and log-odds do not depend on the variants that NumPy, OpenBLAS and glibc choose."""
    for name in digests.CLASSES:
        (tmp_path / name).mkdir()
        train_here(name, *digests.data(), tmp_path / name, lambda *_: None)
    command = [sys.executable, "-P", "-m", "tests.integration.plexus.scores", str(tmp_path)]
    environments = [pin_environment(), {**os.environ, "PYTHONPATH": str(ROOT)}]
    results = {subprocess.run(command, env=one, capture_output=True, check=True).stdout for one in environments}
    assert len(results) == 1
    assert len(results.pop().split()) == 4


@pytest.mark.parametrize("name", digests.CLASSES)
def test_progress_counts_up_to_its_total(name: str, tmp_path: Path) -> None:
    """In proportion to what the training costs, reported in order across the processes."""
    steps: list[tuple[int, int]] = []
    train_in_process(name, *digests.data(), tmp_path, lambda *step: steps.append(step))
    assert len({total for _, total in steps}) == 1
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert len(steps) > 5
    assert steps[-1][0] == steps[-1][1]


def test_an_error_of_the_training_is_raised_as_its_own_kind(tmp_path: Path) -> None:
    """The caller cannot see that another process raised it."""
    with pytest.raises(InvalidData, match="at least two labels"):
        train_in_process("SVMClassifier", ["good", "fine"], ["yes", "yes"], tmp_path, lambda *_: None)


def test_a_training_that_is_killed_is_reported_with_its_signal(tmp_path: Path) -> None:
    """The kernel does so when memory runs out; no artifact is left."""
    launcher = ["bash", "-c", "kill -KILL $$"]
    with pytest.raises(PlexusError, match="training SVMClassifier failed: its process ended with signal SIGKILL"):
        train_in_process("SVMClassifier", *digests.data(), tmp_path, lambda *_: None, launcher=launcher)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_alone(tmp_path: Path, terminal: bool) -> None:
    """On standard error, so that stdout holds the digests."""
    (tmp_path / "card.yaml").write_text(CARD)
    words = ["train", "card.yaml", "--score", "Boosted", "--data", str(DATA), "--store", "store"]
    reading, writing = pty.openpty() if terminal else os.pipe()
    command = [sys.executable, "-m", "plexus", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=writing, text=True
    ) as process:
        os.close(writing)
        output = b"".join(read_all(reading)).decode()
        assert process.stdout is not None
        assert process.stdout.read().startswith("Boosted: artifact sha256:")
    assert process.returncode == 0
    assert ("training Boosted" in output, "100%" in output) == (terminal, terminal)


def read_all(descriptor: int) -> Iterator[bytes]:
    """Yield what is written until every writer has closed it; on a terminal that is an error."""
    with contextlib.suppress(OSError):
        while data := os.read(descriptor, 1 << 16):
            yield data
    os.close(descriptor)


def test_ctrl_c_ends_the_training_and_says_so_once(tmp_path: Path) -> None:
    """Exit code 130, one line, no traceback, no process and no artifact left."""
    (tmp_path / "card.yaml").write_text(CARD)
    words = ["train", "card.yaml", "--score", "Boosted", "--data", str(DATA), "--store", "store"]
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "plexus", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writing,
        stderr=writing,
        start_new_session=True,
    )
    os.close(writing)
    output = b""
    for data in read_all(reading):
        output += data
        if b"training Boosted" in output and process.returncode is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
    assert process.wait() == 130
    assert output.endswith(b"interrupted\r\n")
    assert b"Traceback" not in output
    assert not list((tmp_path / "store").glob("*"))
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


PAIRS = (("gladly", "good"), ("sadly", "bad"))


def train_with_objective(folder: Path, objective: str) -> tuple[dict[str, Any], str]:
    """Return the report of a training on twenty texts and a near-duplicate of each: as JSON, and as it is printed."""
    words = ["amber", "birch", "cedar", "delta", "ember", "fjord", "glade", "heron", "inlet", "jetty"]
    texts = [f"{first} {second} {word}" for first in words for second, word in PAIRS]
    rows = [f"{text} {text[::-1]} {text[:5] * 3},{text.split()[-1]}" for text in texts]
    rows += [f"!{row}" for row in rows]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    score = f"{{name: S, class: SVMClassifier, data: {{file: texts.csv}}, optimise: {objective}}}"
    (folder / "card.yaml").write_text(f"name: A\nkey: a\nscores: [{score}]\n")
    arguments = [str(folder / "card.yaml"), "--store", str(folder / "store")]
    document, printed = (
        CliRunner().invoke(train_command, [*arguments, *more], standalone_mode=False).stdout
        for more in (["--json"], [])
    )
    return json.loads(document)[0]["report"], printed


def test_a_perfect_cross_validation_has_an_interval_with_width(tmp_path: Path) -> None:
    """40 of 40 right is 0.912 to 1.000 by Wilson's formula; near-duplicates are counted."""
    report, printed = train_with_objective(tmp_path, "accuracy")
    assert report["interval"] == pytest.approx(wilson(40, 40))
    assert "accuracy 1.000 (95 %: 0.912 to 1.000) in 5-fold" in printed
    assert "20 near-duplicates, each in the fold of its original" in printed


def test_a_recall_is_printed_with_the_precision_that_unseen_texts_had(tmp_path: Path) -> None:
    """Both have intervals of their own numbers of texts: twenty labels, and the texts that got the class."""
    report, printed = train_with_objective(tmp_path, "{recall_at_precision: 0.9, of: bad}")
    assert report["interval"] == pytest.approx(wilson(round(20 * report["score"]), 20))
    hits = round(20 * report["score"])
    assert report["precision_interval"] == pytest.approx(wilson(hits, round(hits / report["precision"])))
    assert f"recall of bad {report['score']:.3f} (95 %: " in printed
    assert f" at a precision of {report['precision']:.3f} (95 %: " in printed
    assert ", expected at least 0.9, in 5-fold" in printed
