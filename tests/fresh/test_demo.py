"""`make demo`, the first thing that a newcomer runs, on machines that have never seen the project."""

import re

from tests.fresh.conftest import Play
from tests.fresh.machine import Ended
from tests.fresh.machines import DEBIAN12, DEBIAN13, debian


def check(ended: Ended) -> None:
    """Fail unless the demo came to its end and every check held."""
    assert ended.status == 0, ended.output
    assert len(re.findall(r"^  (holds|ok) ", ended.output, re.M)) == 6, ended.output


def test_demo_on_debian_12_without_package_lists(play: Play) -> None:
    """The demo runs to its end where `apt-get update` has never run, with functions isolated."""
    machine = play(DEBIAN12, debian("bookworm", 12))
    assert not any(path.is_file() for path in (machine.root / "var/lib/apt/lists").rglob("*"))
    ended = machine.run("make", "demo")
    check(ended)
    assert "engine bubblewrap" in ended.output


def test_demo_on_debian_13_without_user_namespaces(play: Play) -> None:
    """The demo runs to its end on the plain engine, and says why and which isolation is missing."""
    machine = play(DEBIAN13, debian("trixie", 13), namespaces=False)
    ended = machine.run("make", "demo")
    check(ended)
    assert "engine plain" in ended.output
    assert "no isolation" in ended.output
    assert re.search(r"bubblewrap cannot start a container \(.*namespace.*\); to isolate functions: ", ended.output)
