"""Run a click group as a process: exit codes, one-line errors, Ctrl-C, and a reader that closes stdout early."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from plexus.exceptions import InvalidScorecard, PlexusError
from plexus.problems import pluralize

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

FAILED, INTERRUPTED = 1, 130


def run(group: click.Command, arguments: Sequence[str] | None, program: str) -> int:
    """Run a command line and return its exit code; errors are printed on stderr, never raised.

    0: success, or the number that the command returned. 1: a PlexusError or OSError, printed in one line (an invalid
    scorecard with all of its problems). 2: misuse, as click reports it. 130: Ctrl-C or SIGTERM, also a Ctrl-C that came
    before, if the process was started with SIGINT blocked.
    """
    with tolerate_closed_stdout(), _interrupt_on_sigterm():
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            status = group.main(arguments, prog_name=program, standalone_mode=False)
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except (KeyboardInterrupt, click.Abort):
            eval("None")  # noqa: S307 - else CPython ends by the signal if that interrupted the exec of a text
            click.echo("interrupted", err=True)
            return INTERRUPTED
        except (PlexusError, OSError) as error:
            click.echo(describe(error), err=True)
            return FAILED
    return status if isinstance(status, int) else 0


@contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # no other thread may set handlers
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def describe(error: PlexusError | OSError) -> str:
    """Return the message that a command prints for an error."""
    if isinstance(error, InvalidScorecard):
        return f"{error}\n{pluralize(len(error.problems), 'problem')}: the scorecard cannot be used"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"plexus: {place}{error.strerror or error}"
    return f"plexus: {error}"


class _Output(io.FileIO):
    """A file that discards what is written once its reader has closed the pipe."""

    closed_by_reader = False

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            self.closed_by_reader = True
            # /dev/null in its place, so that the interpreter's own flush at exit cannot fail either.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


_outputs: list[_Output] = []


@contextmanager
def tolerate_closed_stdout() -> Iterator[None]:
    """Ignore EPIPE on stdout in this block, so that `| head` neither fails the command nor changes its exit code.

    A stdout that is not the process's own (pytest's, click's test runner's) is left alone.
    """
    original = sys.stdout
    if not isinstance(original, io.TextIOWrapper) or original is not sys.__stdout__:
        yield
        return
    _outputs.append(_Output(original.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_outputs[-1]), original.encoding, original.errors, line_buffering=original.line_buffering
    )
    try:
        yield
    finally:
        sys.stdout.flush()
        _outputs.pop()
        sys.stdout = original


def is_stdout_closed() -> bool:
    """Return whether the reader of stdout is gone: a command that scores only to print can stop."""
    return any(output.closed_by_reader for output in _outputs)
