"""Ctrl-C at a moment when what is done could still be undone."""

import os
import signal
import threading

import pytest

from scripts._interrupts import interrupts_later


def interrupted(done: list[str], error: Exception | None = None) -> None:
    """A block that Ctrl-C meets in its middle, and that then goes on, or fails."""
    with interrupts_later():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("after")
        if error:
            raise error


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    """What the block did is done when the interrupt is raised; the next one is as ever."""
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(done)
    assert done == ["after"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_is_told_first() -> None:
    """A failure in the block is what the caller gets, with or without Ctrl-C."""
    with pytest.raises(ValueError, match="broken"):
        interrupted([], ValueError("broken"))


def test_a_thread_runs_the_block_as_it_is() -> None:
    """Where no interrupt arrives nothing is held back."""
    ran: list[bool] = []

    def block() -> None:
        with interrupts_later():
            ran.append(True)

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert ran == [True]
