"""Settings and fixtures of every test."""

import signal

import pytest

from tests.golden.transcripts import Golden

# Tests that run in the background inherit an ignored SIGINT, and so would every program that they start; a terminal's
# programs do not, and it is a terminal's Ctrl-C that tests send.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make golden` uses it."""
    parser.addoption("--renew-golden", action="store_true", help="keep what commands print now in tests/golden")


@pytest.fixture(scope="session")
def golden(pytestconfig: pytest.Config) -> Golden:
    """The kept transcripts of commands."""
    return Golden(renew=bool(pytestconfig.getoption("--renew-golden")))
