"""Unit tests start no process and open no connection: those that do belong in tests/integration."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# By default an example that takes 200 ms fails, and the examples differ from run to run.
settings.register_profile(
    "repeatable", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")

FORBIDDEN = frozenset(
    ("os.exec", "os.fork", "os.posix_spawn", "os.system", "socket.bind", "socket.connect", "subprocess.Popen")
)
UNIT = Path(__file__).resolve().parent
running: list[str] = []


def refuse(event: str, _: tuple[object, ...]) -> None:
    """Fail what a unit test must not do, whichever library does it."""
    if running and event in FORBIDDEN:
        raise AssertionError(f"{running[-1]}: {event} in a unit test: expected in tests/integration")


sys.addaudithook(refuse)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse it from the set-up of a unit test to its end; pytest calls this for tests of other folders too."""
    if not item.path.is_relative_to(UNIT):
        return (yield)
    running.append(item.nodeid)
    try:
        return (yield)
    finally:
        running.pop()
