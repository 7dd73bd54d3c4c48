"""Machines whose python3 is not the one that the project needs."""

from tests.fresh.conftest import Play
from tests.fresh.machines import NO_VENV, TWO_PYTHONS, debian


def test_a_newer_python_beside_an_old_python3_is_found(play: Play, digest: str) -> None:
    """If python3 is 3.9, the build uses the newer interpreter on PATH without HOST_PYTHON, and remembers it."""
    machine = play(TWO_PYTHONS, debian("bookworm", 12))
    assert "3.9" in machine.run("python3", "--version").output
    ended = machine.run("make", "build")
    assert ended.status == 0, ended.output
    assert digest in ended.output
    assert (machine.checkout / "build/host-python").read_text().strip().endswith("python3.11")


def test_a_python_without_venv_names_the_package_that_brings_it(play: Play) -> None:
    """The version is not blamed: the reason is the missing module, and the remedy the distribution's command."""
    ended = play(NO_VENV, debian("bookworm", 12)).run("make", "demo", timeout_s=120)
    assert ended.status != 0
    assert "has neither pip nor ensurepip" in ended.output, ended.output
    assert "next: sudo apt-get install python3" in ended.output
    assert "is older" not in ended.output
    assert "Traceback" not in ended.output
