"""The wrapper of every `python3 -m nix.*` command: exit statuses, signals, closed pipes and error messages."""

import contextlib
import errno
import functools
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

DONE, FAILED, MISUSED, FOUND, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
FULL = "\nnext: make cache-prune, or set SCORE_PROCESSOR_CACHE to a folder on another disk"
TOO_LARGE = "\nnext: ulimit -f unlimited, or export SCORE_PROCESSOR_CACHE=FOLDER on a file system for larger files"
REPOSITORY = Path(__file__).resolve().parent.parent
# What the file system answers if the cache is on a disk, or in a folder, that this user cannot write to.
UNWRITABLE = (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT, errno.ENOTDIR)


class Main(Protocol):
    """The entry point of a command."""

    def __call__(self, words: Sequence[str] | None = None) -> int:
        """Run the command with the words after its name, by default those of this process; return its exit status."""


def command(
    name: str, *expected: type[Exception], interrupted: str = "", failed: str = ""
) -> Callable[[Callable[..., int]], Main]:
    """Turn a function that takes command-line words and returns an exit status into a command's `main`.

    An exception of a type in `expected`, or an OSError, is printed as `<name>: <message>`, with `failed` as a second
    line, and gives status 1. Ctrl-C prints `interrupted`, a hint on what is left behind, and gives 130; so does one
    that came before, if the process was started with SIGINT blocked. SIGTERM raises SystemExit(143), so that `finally`
    blocks run. The command completes even if nothing reads its standard output.

    Signal handlers and `sys.stdout` are those of the caller again when `main` returns or raises.
    """

    def wrap(function: Callable[..., int]) -> Main:
        @functools.wraps(function)
        def main(words: Sequence[str] | None = None) -> int:
            try:
                with terminable(), unread_output():
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                    return function(words)
            except expected as problem:
                # The assembler, pip and other programs report a full disk in a message of their own.
                full = os.strerror(errno.ENOSPC) in str(problem) and FULL not in str(problem)
                large = os.strerror(errno.EFBIG) in str(problem) and TOO_LARGE not in str(problem)
                message = f"{problem}{FULL if full else TOO_LARGE if large else ''}"
            except OSError as problem:
                message = describe_os_error(problem)
            except KeyboardInterrupt:
                forget_interrupt()
                print(f"{name}: interrupted{interrupted and '; '}{interrupted}", file=sys.stderr)
                return INTERRUPTED
            print(f"{name}: {message}{failed and chr(10)}{failed}", file=sys.stderr)
            return FAILED

        return main

    return wrap


def forget_interrupt() -> None:
    """Make this process end with its exit status after a Ctrl-C.

    Where Ctrl-C interrupts `exec` or `eval` of a text, as dataclasses do it, CPython ends by the signal, whatever is
    caught, unless another text is run.
    """
    eval("None")  # noqa: S307 - a constant


@contextlib.contextmanager
def terminable(error: BaseException | None = None) -> Iterator[None]:
    """Raise `error`, by default SystemExit(143), at SIGTERM inside this block; then restore the caller's handler.

    Only the main thread may set handlers; in another one SIGTERM keeps its effect.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(_: int, __: FrameType | None) -> None:
        raise error or SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def unread_output() -> Iterator[None]:
    """Ignore EPIPE on standard output inside this block: the work completes even if `| head` exits early.

    Without effect if `sys.stdout` has been replaced, as tests do.
    """
    original = sys.stdout
    if original is not sys.__stdout__ or not isinstance(original, io.TextIOWrapper):
        yield
        return
    original.flush()
    output = io.BufferedWriter(_Output(original.fileno(), "w", closefd=False))
    sys.stdout = io.TextIOWrapper(output, original.encoding, original.errors, line_buffering=original.line_buffering)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = original


class _Output(io.FileIO):
    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def describe_os_error(problem: OSError) -> str:
    """Describe an error of the file system: where, what, and the next step for a full disk or an unwritable cache."""
    where = f"{problem.filename}: " if problem.filename else ""
    if problem.errno == errno.ENOSPC:
        return f"{where}the disk is full{FULL}"
    text = f"{where}{problem.strerror or problem}"
    if problem.errno == errno.EFBIG:
        return f"{where}{problem.strerror}{TOO_LARGE}"
    is_checkout = bool(problem.filename) and Path(os.fsdecode(problem.filename)).is_relative_to(REPOSITORY)
    if problem.errno in (errno.EROFS, errno.EACCES) and is_checkout:
        return f"{where}this checkout cannot be written\nnext: git clone it to a folder that you can write to"
    if problem.errno in UNWRITABLE:
        return f"{text}\nnext: if this is the cache, set SCORE_PROCESSOR_CACHE to a folder that you can write to"
    return text
