"""A run that is stopped while a provider answers keeps every answer that it has paid for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.plexus.clients import card, isolate
from tests.integration.plexus.provider import Answer, Provider, provider

ROWS, ANSWERED, WORKERS = 30, 19, 8
PATIENCE_S = 60
#: The first request is never answered, the next ones are, and none after these.
ANSWERS = [Answer("Yes", delay_s=3600), *[Answer("Yes")] * ANSWERED, Answer("Yes", delay_s=3600)]
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch)


def start(server: Provider, folder: Path, output: str, *more: str) -> subprocess.Popen[str]:
    """Start a run that asks the provider about each of the texts."""
    (folder / "card.yaml").write_text(card(server, "openai", more="maximum_retry_count: 0").document.text)
    (folder / "texts.csv").write_text("text\n" + "".join(f"text {number}\n" for number in range(ROWS)))
    words = ["run", "card.yaml", "--data", "texts.csv", "--output", output, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "plexus", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and what was printed on stderr."""
    _, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("more", [(), ("--workers", "2")], ids=["threads", "processes"])
def test_a_stopped_run_keeps_all_answers(number: signal.Signals, more: tuple[str, ...], tmp_path: Path) -> None:
    """It waits for no answer; the same command asks about the other rows only, and counts what all of them cost."""
    with provider(*ANSWERS) as server:
        process = start(server, tmp_path, "out.csv", *more)
        end = time.monotonic() + PATIENCE_S
        while len(server.requests) < ANSWERED + WORKERS:  # every thread has handed in its row and waits for the next
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(number)
        code, errors = finish(process)
        assert code == 130, errors
        assert f"stopped after {ANSWERED} of {ROWS} rows and 0." in errors
        server.answers[:] = [Answer("Yes")]
        server.requests.clear()
        code, errors = finish(start(server, tmp_path, "out.csv", *more))
        assert code == 0, errors
        assert f"resuming: {ANSWERED} of {ROWS} rows are scored" in errors
        assert len(server.requests) == ROWS - ANSWERED
        code, whole = finish(start(server, tmp_path, "whole.csv"))
    assert code == 0, whole
    assert f"{ROWS} model calls" in whole
    assert whole.splitlines()[-1] == errors.splitlines()[-1]
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_the_cost_of_failed_rows_remains_after_they_are_scored_again(tmp_path: Path) -> None:
    """An answer that was no class has been paid, and is part of the costs beside the answer that replaced it."""
    with provider(Answer("Perhaps"), Answer("Yes")) as server:
        code, errors = finish(start(server, tmp_path, "out.csv"))
        assert code == 1, errors
        code, errors = finish(start(server, tmp_path, "out.csv", "--retry-failed"))
    assert code == 0, errors
    assert f"{ROWS + 1} model calls" in errors
