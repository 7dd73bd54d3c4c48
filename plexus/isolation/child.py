"""The processes: a nursery, which forks children and never computes; and children, which score one item at a time."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plexus
from plexus.exceptions import PlexusError
from plexus.isolation import channel
from plexus.values import Item, Result

if TYPE_CHECKING:
    from plexus.artifacts import Artifacts
    from plexus.context import Context
    from plexus.scorecard import Scorecard

MIB = 2**20
#: What a keyword or composite score imports; forked once it is imported, a child starts in milliseconds.
ENGINE = (
    "re2",
    "plexus.language.sandbox",
    "plexus.scorecard",
    "plexus.scheduler",
    "plexus.scores.keyword",
    "plexus.scores.composite",
    "plexus.processors",
)
#: Scorecards that a child keeps, the latest ones; the caller keeps the same count.
MAXIMUM_CARDS = 8
_M_ARENA_MAX = -8
#: The last answer of a child that has run out of memory; it ends then, since its memory cannot be trusted any more.
OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True)
class Limits:
    """Limits of one child: MiB by which its address space may grow, and seconds of processor time for one item.

    `grace_s` are the seconds past the deadline after which a child that did not stop by itself is ended.
    """

    memory_mib: int = 512
    cpu_s: float = 120.0
    grace_s: float = 0.5


@dataclass(frozen=True)
class Request:
    """An item to score. `card` is None if the child has the scorecard `number` already; the context has no store."""

    number: int
    card: Scorecard | None
    name: str
    item: Item
    context: Context
    seconds: float | None


def run_nursery(control: socket.socket, artifacts: Artifacts | None, limits: Limits) -> None:
    """Run the nursery: import modules, fork children and reap them, until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # the collector would otherwise write to, and so copy, the pages that processes share
    _share_arenas()
    children: set[int] = set()
    try:
        while True:
            content, descriptors, _, _ = socket.recv_fds(control, 1024, 1)
            if not content:
                return
            verb, _, argument = content.decode().partition(" ")
            if verb == "fork":
                _import(argument.split())
                pid = os.fork()
                if pid == 0:
                    control.close()
                    _run_child(socket.socket(fileno=descriptors[0]), artifacts, limits)
                os.close(descriptors[0])
                children.add(pid)
                control.sendall(f"{pid}\n".encode())
            elif verb == "who":
                control.sendall(f"{os.getpid()}\n".encode())
            else:
                children.discard(int(argument))
                control.sendall(f"{_reap(int(argument))}\n".encode())
    finally:
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _reap(pid: int) -> int:
    """Kill a child unless it has ended; returns its exit status, or the negative number of its signal."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
    except ChildProcessError:  # a child of a nursery before this one
        return 0
    return os.waitstatus_to_exitcode(status)


def _import(modules: Sequence[str]) -> None:
    """Import libraries for all later children; if one is not installed, the score that needs it fails later."""
    for module in modules:
        if module not in sys.modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
            gc.collect()
            gc.freeze()


def _run_child(connection: socket.socket, artifacts: Artifacts | None, limits: Limits) -> None:
    try:
        _limit_memory(limits.memory_mib)
        _serve(connection, artifacts, limits)
    finally:
        os._exit(0)


def _serve(connection: socket.socket, artifacts: Artifacts | None, limits: Limits) -> None:
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)  # ends the process at once, also inside a library
    cards: OrderedDict[int, Scorecard] = OrderedDict()
    while True:
        try:
            request = channel.receive(connection)
        except EOFError:
            return
        assert isinstance(request, Request)
        if request.card is not None:
            cards[request.number] = request.card
            while len(cards) > MAXIMUM_CARDS:
                cards.popitem(last=False)
        if request.seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, request.seconds + limits.grace_s))
        signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)
        answer = _answer(cards[request.number], request, artifacts)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        channel.send(connection, answer)
        if answer == OUT_OF_MEMORY:
            return


def _answer(card: Scorecard, request: Request, artifacts: Artifacts | None) -> Result | PlexusError | str:
    """Return the result or the error of a score as a value that can be sent.

    An unexpected error becomes its class and place: its message may quote the text.
    """
    context = replace(request.context, artifacts=artifacts)
    try:
        return plexus.score(card, request.name, request.item, context=context)
    except PlexusError as error:
        return error.with_traceback(None)
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def _limit_memory(mib: int) -> None:
    """Limit the address space to its present size and `mib` more: what is shared with the nursery is not counted."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + mib * MIB, hard))


def _share_arenas() -> None:
    """Make threads share malloc's arenas: each arena reserves 64 MiB of the address space, which is limited."""
    with contextlib.suppress(OSError, AttributeError):
        libc: Any = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 1)
