"""Deferred and converted signals."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from scripts.console.interrupts import SIGNALS, Terminated, defer_interrupts, end_by_ctrl_c, interruptible


def interrupt(done: list[str], number: int = signal.SIGINT, error: Exception | None = None) -> None:
    """Send a signal inside a deferring block, which then completes or raises."""
    with defer_interrupts():
        os.kill(os.getpid(), number)
        done.append("after")
        if error:
            raise error


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    """The block completes before KeyboardInterrupt is raised, and the handler is restored."""
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(done)
    assert done == ["after"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_is_told_first() -> None:
    """An exception of the block takes precedence over a deferred signal."""
    with pytest.raises(ValueError, match="broken"):
        interrupt([], error=ValueError("broken"))


def test_a_thread_runs_the_block_as_it_is() -> None:
    """Outside the main thread, which receives no signals, the block runs unchanged."""
    ran: list[bool] = []

    def block() -> None:
        with defer_interrupts():
            ran.append(True)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert ran == [True]


@pytest.fixture
def hangup() -> Iterator[None]:
    """Have SIGHUP end the process, as it does unless `nohup` started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize("number", SIGNALS)
def test_both_signals_end_an_interruptible_block(number: signal.Signals) -> None:
    """SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, and the handlers are restored afterwards."""
    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_sigterm_is_deferred_like_ctrl_c() -> None:
    """A SIGTERM in a deferring block is delivered after it."""
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible():
        interrupt(done, signal.SIGTERM)
    assert done == ["after"]


def follow_until(number: int) -> None:
    """Follow something endlessly, and receive a signal meanwhile."""
    with end_by_ctrl_c():
        os.kill(os.getpid(), number)
        signal.pause()


@pytest.mark.usefixtures("hangup")
def test_ctrl_c_is_the_regular_end_of_a_command_that_follows() -> None:
    """Ctrl-C ends the block without an error; SIGTERM and SIGHUP, which end the command early, are still raised."""
    with interruptible():
        follow_until(signal.SIGINT)
        for number in (signal.SIGTERM, signal.SIGHUP):
            with pytest.raises(Terminated):
                follow_until(number)
