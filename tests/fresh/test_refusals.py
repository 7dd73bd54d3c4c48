"""Machines on which nothing can be fetched or written: each ends at once, with the reason and the remedy."""

from dataclasses import replace

import pytest

from tests.fresh.conftest import Play
from tests.fresh.machine import HOME, Ended, Machine
from tests.fresh.machines import DEBIAN12, debian
from tests.fresh.servers import SELF_SIGNED, serve

SOON_S = 120  # a machine that waits for ever fails the test, however busy the host is
SMALL = ("--size", str(40 << 20), "--perms", "0777", "--tmpfs", f"{HOME}/.cache")
GOALS = ("demo", "build")


@pytest.fixture
def machine(play: Play) -> Machine:
    """A Debian 12 with everything that the project needs."""
    return play(DEBIAN12, debian("bookworm", 12))


def read_refusal(ended: Ended) -> str:
    """Return what a command printed that must have failed by its own decision, in one ending."""
    assert ended.status == 2, ended.output  # make's own, of a recipe that ended with 1
    assert "Error 1" in ended.output, ended.output
    assert "Traceback" not in ended.output
    assert "is above" not in ended.output
    return ended.output


@pytest.mark.parametrize("goal", GOALS)
def test_intercepted_tls_asks_for_the_authorities(machine: Machine, goal: str) -> None:
    """An index whose certificate nobody signed is not taken for a network that is down."""
    with serve(certificate=SELF_SIGNED) as address:
        index = {"PIP_INDEX_URL": f"{address}/simple", "PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": ""}
        output = read_refusal(machine.with_variables(**index).run("make", goal, timeout_s=SOON_S))
    assert "export SSL_CERT_FILE=" in output, output
    assert "apt is configured with: no Debian package is missing" in output
    assert "Is the network up" not in output


@pytest.mark.parametrize("goal", GOALS)
def test_a_full_disk_is_named(machine: Machine, goal: str) -> None:
    """The cache's disk is too small for what is to be fetched."""
    output = read_refusal(replace(machine, mounts=SMALL).run("make", goal, timeout_s=SOON_S))
    assert "SCORE_PROCESSOR_CACHE" in output, output
    assert "MB" in output
    assert "disk" in output


@pytest.mark.parametrize("goal", GOALS)
def test_a_home_that_cannot_be_written_asks_for_another_cache(machine: Machine, goal: str) -> None:
    """The cache lies in the home folder unless SCORE_PROCESSOR_CACHE names another."""
    output = read_refusal(replace(machine, writable_home=False).run("make", goal, timeout_s=SOON_S))
    assert f"{HOME}/.cache" in output, output
    assert "SCORE_PROCESSOR_CACHE" in output
