"""The choice of the interpreter by nix/python, with a PATH of interpreters that are shell scripts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOO_OLD, WITHOUT_PIP = 3, 4


class Host:
    """A checkout that holds nix/python only, and the commands of a machine."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.commands = folder / "checkout", folder / "bin"
        (self.checkout / "nix").mkdir(parents=True)
        shutil.copy(ROOT / "nix/python", self.checkout / "nix/python")
        self.commands.mkdir()
        for name in ("sh", "cat", "dirname", "mkdir"):
            (self.commands / name).symlink_to(str(shutil.which(name)))

    def add(self, name: str, version: str, status: int = 0, folder: Path | None = None) -> Path:
        """Add an interpreter that answers the probe with this version and status, and prints its name otherwise."""
        path = (folder or self.commands) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        short = ".".join(version.split(".")[:2])
        path.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *find_spec*) printf {version}; exit {status} ;;\n'
            f'*"%d.%d"*) echo {short} ;;\n'
            f'*sys.executable*) echo "{path}" ;;\n'
            f'*) echo "{name} $*" ;; esac\n'
        )
        path.chmod(0o755)
        return path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run nix/python."""
        environment = {"PATH": str(self.commands), **variables}
        command = [str(self.checkout / "nix/python"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine without any Python."""
    return Host(tmp_path)


def test_the_newest_suitable_python_is_used(host: Host) -> None:
    """Among python3 and its numbered names the newest suitable one runs, not the first on PATH."""
    host.add("python3", "3.9.2", TOO_OLD)
    host.add("python3.11", "3.11.2")
    host.add("python3.12", "3.12.1")
    host.add("python3.13", "3.13.0", WITHOUT_PIP)
    assert host.run("-m", "nix.build").stdout == "python3.12 -m nix.build\n"


def test_the_choice_is_remembered(host: Host) -> None:
    """A newer Python that is installed later changes nothing; once the chosen one is gone, it is chosen again."""
    chosen = host.add("python3.11", "3.11.2")
    assert host.run("-V").stdout == "python3.11 -V\n"
    host.add("python3.13", "3.13.0")
    assert host.run("-V").stdout == "python3.11 -V\n"
    chosen.unlink()
    assert host.run("-V").stdout == "python3.13 -V\n"


def test_a_named_interpreter_is_used_and_remembered(host: Host) -> None:
    """HOST_PYTHON overrides the environment's interpreter, and is remembered for the next command."""
    host.add("python3.13", "3.13.0")
    host.add("mine", "3.12.4")
    assert host.run("-V", HOST_PYTHON="mine").stdout == "mine -V\n"
    assert host.run("-V").stdout == "mine -V\n"


def test_the_environment_is_used_while_it_works(host: Host) -> None:
    """A finished .venv is used before anything on PATH, unless its interpreter became another version."""
    host.add("python3", "3.13.0")
    venv = host.checkout / ".venv"
    host.add("python", "3.12.1", folder=venv / "bin")
    (venv / ".environment").touch()
    (venv / "lib/python3.12").mkdir(parents=True)
    assert host.run("-V").stdout == "python -V\n"
    host.add("python", "3.13.0", folder=venv / "bin")
    assert host.run("-V").stdout == "python3 -V\n"


def test_a_persons_cdpath_leads_nowhere_else(host: Host) -> None:
    """The checkout is found from its own folder, whatever other folders the shell's cd would search."""
    host.add("python3", "3.12.1")
    elsewhere = host.checkout.parent / "elsewhere"
    (elsewhere / "nix").mkdir(parents=True)
    environment = {"PATH": str(host.commands), "CDPATH": str(elsewhere)}
    subprocess.run(["nix/python", "-V"], cwd=host.checkout, env=environment, check=True)
    assert (host.checkout / "build/host-python").exists()
    assert not (elsewhere / "build").exists()


def test_an_unsuitable_python_is_refused_with_its_own_reason(host: Host) -> None:
    """A Python without pip and ensurepip is not called too old, and the command that mends it is named."""
    host.add("python3.9", "3.9.2", TOO_OLD)
    host.add("python3.12", "3.12.3", WITHOUT_PIP)
    done = host.run("-V")
    assert done.returncode == 1
    assert f"  {host.commands}/python3.12 (3.12.3) has neither pip nor ensurepip\n" in done.stderr
    assert "older" not in done.stderr
    assert "next: " in done.stderr
    assert "make venv HOST_PYTHON=" in done.stderr


def test_a_named_interpreter_that_cannot_be_used_is_refused(host: Host) -> None:
    """HOST_PYTHON is never replaced by another Python: if it is too old or no command, that is the error."""
    host.add("python3", "3.13.0")
    old = host.add("old", "3.8.18", TOO_OLD)
    assert f"{old} (3.8.18) is older than 3.11" in host.run("-V", HOST_PYTHON="old").stderr
    assert "HOST_PYTHON=absent is not a command" in host.run("-V", HOST_PYTHON="absent").stderr


def test_a_program_that_is_no_python_is_refused(host: Host) -> None:
    """A program that ignores the probe and succeeds, as true and perl do, is not taken for a Python."""
    program = host.commands / "other"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    done = host.run("-m", "nix.build", HOST_PYTHON="other")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{program} is not Python" in done.stderr


def test_the_probe_accepts_this_interpreter(tmp_path: Path) -> None:
    """The interpreter that runs the tests is suitable."""
    host = Host(tmp_path)
    done = host.run("-c", "print('ran')", HOST_PYTHON=sys.executable, HOME=os.environ.get("HOME", "/"))
    assert done.stdout == "ran\n", done.stderr


@pytest.mark.parametrize("library", ["_ctypes", "_ssl"])
def test_an_interpreter_without_a_library_is_refused(host: Host, library: str) -> None:
    """A Python whose libffi or OpenSSL is missing is refused before a command fails in it."""
    python = host.commands / "python3"
    hidden = f"import sys; sys.modules['{library}'] = None"
    python.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -c "{hidden}\n$1"\n')
    python.chmod(0o755)
    assert "cannot import one of ctypes, lzma, ssl and zlib" in host.run("-V").stderr
