"""The values and signals that make passes on."""

import os
import re
import shlex
import subprocess
import sys
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
    """The project's programs start without Python's own variables."""
    (tmp_path / "probe").write_text("include Makefile\nprobe:\n\t@env\n")
    settings = {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONHOME": "/nowhere"}
    done = subprocess.run(
        ["make", "-f", str(tmp_path / "probe"), "probe"],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("PYTHON")] == []
    assert "PATH=" in done.stdout


WAITING = """
import pathlib, signal, sys
def end(*_):
    pathlib.Path(__file__).with_name("ended").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("started", flush=True)
sys.stdin.read()
"""


def test_sigterm_of_make_ends_its_command_first(tmp_path: Path) -> None:
    """make hands SIGTERM to the demo's first command, and does not end before that has cleaned up."""
    command = tmp_path / "command"
    command.write_text(f"#!{sys.executable}{WAITING}")
    command.chmod(0o755)
    line = ["make", f"HOST={command}", "demo"]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as make:
        assert make.stdout is not None
        assert make.stdout.readline() == "started\n"
        make.terminate()
        make.wait()
        assert (tmp_path / "ended").exists()


def test_a_shells_env_selects_no_tests() -> None:
    """ENV in the environment is the shell's startup file; on make's command line it is an environment of tox."""
    line = ["make", "--dry-run", "--old-file=.venv/.environment", "test"]
    settings = {**os.environ, "ENV": "/home/somebody/.shrc"}
    whole = subprocess.run(line, cwd=ROOT, env=settings, capture_output=True, text=True, check=True).stdout
    assert ("-m checks" in whole, "-m systems" in whole, "shrc" in whole) == (True, True, False)
    part = subprocess.run(
        [*line, "ENV=unit"], cwd=ROOT, env=settings, capture_output=True, text=True, check=True
    ).stdout
    assert ("run -e unit" in part, "-m" in part.replace("-m tox", "")) == (True, False)


def test_the_whole_test_run_announces_both_parts() -> None:
    """`make test` names the environments of a part before it starts them, and one environment has no announcement."""
    line = ["make", "--dry-run", "--old-file=.venv/.environment", "test"]
    whole = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    labels = dict(re.findall(r"^    (checks|systems) = (.+)$", (ROOT / "tox.ini").read_text(), re.MULTILINE))
    assert whole[0].startswith(f'echo "part 1 of 2: {labels["checks"]}:')
    assert whole[2].startswith(f'echo "part 2 of 2: {labels["systems"]}:')
    part = subprocess.run([*line, "ENV=unit"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "part" not in part


def test_an_environment_that_was_moved_is_made_again(tmp_path: Path) -> None:
    """A checkout that was moved or copied does not run the packages and the checkout of its former place."""
    former = tmp_path / "former"
    for name in ("nix/locks/development.lock", "nix/locks/build.lock", "nix/locks/uv.lock", "pyproject.toml"):
        (former / name).parent.mkdir(parents=True, exist_ok=True)
        (former / name).touch()
    (former / "Makefile").write_text((ROOT / "Makefile").read_text())
    (former / ".venv/bin").mkdir(parents=True)
    (former / ".venv/bin/python").symlink_to(sys.executable)
    (former / ".venv/.environment").write_text(f"0123456789abcdef\n{former}/.venv\n")

    def plan_venv(folder: Path) -> str:
        return subprocess.run(["make", "-n", "venv"], cwd=folder, capture_output=True, text=True, check=True).stdout

    assert "environments create" not in plan_venv(former)
    assert "nix/python -m nix.environments create development .venv" in plan_venv(former.rename(tmp_path / "moved"))


def test_clean_all_leaves_no_file_of_the_project(tmp_path: Path) -> None:
    """After `make clean-all` a checkout holds what git brought and the environment of README's Install."""
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    (checkout / "Makefile").write_text((ROOT / "Makefile").read_text())
    for name in ("build", "env", ".venv", ".tox/lint", ".import_linter_cache", ".ruff_cache", "nix/__pycache__"):
        (checkout / name).mkdir(parents=True)
        (checkout / name / "kept").touch()
    settings = {**os.environ, "SCORE_PROCESSOR_CACHE": str(tmp_path / "cache")}
    subprocess.run(["make", "clean-all"], cwd=checkout, env=settings, check=True)
    line = ["git", "status", "--porcelain", "--ignored", "--untracked-files=normal"]
    left = subprocess.run(line, cwd=checkout, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [name for name in left if name.endswith("/")] == ["!! env/"]
    assert not (tmp_path / "cache").exists()
