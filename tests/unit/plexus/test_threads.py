"""Daemon threads: results in order, exceptions in futures, and nobody waits after an interruption."""

import threading
import time

import pytest

from plexus.context import Context
from plexus.graph.model_call import call_within_deadline
from plexus.threads import DaemonExecutor


def test_results_come_in_order_from_a_bounded_number_of_threads() -> None:
    """`map` keeps the order of its arguments, in at most as many threads as workers, all of them daemons."""
    names: set[str] = set()

    def call(number: int) -> int:
        names.add(threading.current_thread().name)
        assert threading.current_thread().daemon
        return number * number

    with DaemonExecutor(3, "work") as pool:
        assert list(pool.map(call, range(50))) == [number * number for number in range(50)]
    assert names <= {"work-0", "work-1", "work-2"}


def test_an_exception_is_the_future_s() -> None:
    """A call that raises does not end its thread."""
    with DaemonExecutor(1, "work") as pool:
        failing, working = pool.submit(lambda: 1 / 0), pool.submit(lambda: 1)
        with pytest.raises(ZeroDivisionError):
            failing.result()
        assert working.result() == 1


def test_an_interruption_waits_for_nobody() -> None:
    """After a KeyboardInterrupt, calls that have not begun are cancelled, and the one that runs is not waited for."""
    began, released = threading.Event(), threading.Event()

    def block() -> None:
        began.set()
        released.wait(120)

    pool = DaemonExecutor(1, "work")
    running, waiting = pool.submit(block), pool.submit(block)
    assert began.wait(120)
    with pytest.raises(KeyboardInterrupt), pool:
        raise KeyboardInterrupt
    assert waiting.cancelled()
    assert not running.done()
    released.set()
    running.result(120)


def test_a_closed_executor_takes_no_calls() -> None:
    """Submitting after a shutdown is an error."""
    pool = DaemonExecutor(1, "work")
    pool.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(print)


def test_a_timeout_of_the_call_is_not_the_deadline() -> None:
    """A TimeoutError that a call raises before the deadline, such as a socket's, is raised as it is."""

    def fail() -> None:
        raise TimeoutError("the read timed out")

    with pytest.raises(TimeoutError, match="the read timed out"):
        call_within_deadline(fail, Context(deadline=time.monotonic() + 120))
