"""`local_aws/stop` on a host that has no suitable Python."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.processes import find

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nix/python finds nothing."""
    (tmp_path / "local_aws").mkdir()
    (tmp_path / "nix").mkdir()
    shutil.copy(ROOT / "local_aws/stop", tmp_path / "local_aws/stop")
    (tmp_path / "nix/python").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "nix/python").chmod(0o755)
    return tmp_path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child, in a group of its own, as LocalStack is."""
    with subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True) as process:
        yield process
        process.kill()


def record(checkout: Path, pid: int, ticks: int) -> None:
    """Record a process as that of the instance `default`."""
    run = checkout / ".local-aws/default/run"
    run.mkdir(parents=True)
    (run / "localstack").write_text(f"{pid} {ticks}")


def stop(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Stop all instances."""
    return subprocess.run([checkout / "local_aws/stop", "--all"], capture_output=True, text=True)


def test_a_recorded_process_is_ended_without_python(checkout: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """The process and its records are gone, and the instance is reported as stopped."""
    process = find(sleeper.pid)
    assert process is not None
    record(checkout, process.pid, process.start_ticks)
    done = stop(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "local AWS default: stopped\n", "")
    assert sleeper.wait(120) != 0
    assert not (checkout / ".local-aws/default/run").exists()


def test_a_process_that_only_has_a_recorded_number_is_left_alone(
    checkout: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    """A process that started at another time than the recorded one is not ours."""
    process = find(sleeper.pid)
    assert process is not None
    record(checkout, process.pid, process.start_ticks - 1)
    assert stop(checkout).stdout == "local AWS default: not running\n"
    assert process.is_alive()
