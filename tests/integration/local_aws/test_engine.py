"""The limits that every engine sets."""

import os
import sys
from pathlib import Path

import pytest

from local_aws import engine
from local_aws.engine import Container, Launch


@pytest.mark.parametrize(("memory_mb", "expected"), [(128, 2), (1769, 2), (3538, 2), (3539, 3), (10240, 6)])
def test_a_function_has_as_many_processors_as_on_lambda(
    memory_mb: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda shows two processors at least, and one for each 1,769 MB; a smaller machine gives what it has."""
    for available in (64, 1):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, count=available: set(range(count)))
        assert len(engine.choose_processors(memory_mb)) == min(expected, available)


def test_its_processes_run_on_these_processors_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container and its children inherit the choice, which does not narrow the next one's."""
    monkeypatch.setattr(engine, "LEAST_PROCESSORS", 1)
    here = os.sched_getaffinity(0)
    for memory_mb, count in ((128, 1), (engine.PROCESSOR_MB * len(here), len(here))):
        container = Container("processors", (), (), {}, memory_mb=memory_mb)
        command = ["/bin/sh", "-c", '"$0" -c "import os; print(len(os.sched_getaffinity(0)))"', sys.executable]
        with (tmp_path / "output").open("w") as output:
            running = engine.launch(Launch(command, {}), container, output.fileno(), None)
            assert running.wait() == 0
            running.kill()
        assert (tmp_path / "output").read_text() == f"{count}\n"
    assert os.sched_getaffinity(0) == here
