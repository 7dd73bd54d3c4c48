"""The caller's side: assigns items to children, and turns the end of a child into the error of its item."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from plexus.exceptions import DeadlineExceeded, PlexusError, ScoreEnded, ScoringFailed
from plexus.isolation import channel
from plexus.isolation.child import ENGINE, MAXIMUM_CARDS, OUT_OF_MEMORY, Limits, Request, run_nursery
from plexus.values import Item, Result

if TYPE_CHECKING:
    from plexus.artifacts import Artifacts
    from plexus.context import Context
    from plexus.scorecard import Scorecard

_SCORERS = {
    "LangGraphScore": "plexus.scores.langgraph",
    "SVMClassifier": "plexus.scores.learned",
    "ExplainableClassifier": "plexus.scores.learned",
}
_WAITING = "LangGraphScore"  # mostly waits for providers, so many may run concurrently


def _count_turns() -> int:
    """Return how many items may compute concurrently: at least two, so that a slow one does not stop all others."""
    return max(2, len(os.sched_getaffinity(0)))


def choose_limits(megabytes: int) -> Limits:
    """Return limits with which the children that compute fit into a memory together, beside what they share."""
    return Limits(memory_mib=max(256, megabytes // (_count_turns() + 2)))


@dataclass(eq=False)
class _Child:
    """A process, and the numbers of the scorecards that it has."""

    pid: int
    connection: socket.socket
    modules: frozenset[str]
    cards: list[int] = field(default_factory=list)


class Children:
    """Scores items in children of a nursery that was forked from this process while it had one thread.

    A child scores one item at a time and is used again. It ends itself at the call's deadline, at a limit of processor
    time, or when its address space has grown by too much, even inside a library that holds the interpreter's lock. Its
    end is the failure of its item only; the next item gets another child. Thread-safe.
    """

    def __init__(self, artifacts: Artifacts | None = None, limits: Limits | None = None) -> None:
        """Import the engine and fork the nursery: call it before the process starts threads."""
        self._artifacts, self._limits = artifacts, limits or Limits()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._numbers: weakref.WeakKeyDictionary[Scorecard, int] = weakref.WeakKeyDictionary()
        self._next_number = count(1)
        self._maximum_idle = _count_turns()
        self._computing = threading.Semaphore(self._maximum_idle)
        for module in ENGINE:
            importlib.import_module(module)
        self._control = self._fork_nursery()

    def score(self, scorecard: Scorecard, name: str, item: Item, *, context: Context) -> Result:
        """Score one item as `plexus.score` does, with the context's store replaced by that of the children.

        Also raises ScoreEnded if the child ended at a limit or by a signal, DeadlineExceeded if at its deadline, and
        ScoringFailed, with its class and place, for an error that the library does not raise on purpose.
        """
        from plexus import scheduler

        kinds = {score.configuration.class_name for score in scheduler.plan(scorecard, [scorecard.find(name)]).values()}
        modules = frozenset(_SCORERS[kind] for kind in kinds if kind in _SCORERS)
        with self._wait_for_turn(_WAITING in kinds, context):
            number = self._number(scorecard)
            child = self._take(modules, number)
            card = None if number in child.cards else scorecard
            request = Request(number, card, name, item, replace(context, artifacts=None), context.remaining())
            answer = self._ask(child, request)
        if isinstance(answer, Result):
            return answer
        if isinstance(answer, PlexusError):
            raise answer
        raise ScoringFailed(f"the score failed: {answer}")

    @property
    def nursery(self) -> int:
        """The process id of the nursery."""
        with self._lock:
            self._control.sendall(b"who")
            return self._read_number()

    def close(self) -> None:
        """End the nursery and all children."""
        with self._lock:
            self._control.close()
            for child in self._idle:
                child.connection.close()
            self._idle.clear()

    @contextlib.contextmanager
    def _wait_for_turn(self, is_waiting: bool, context: Context) -> Iterator[None]:
        """Wait until fewer items compute than there are processors; an item that waits for a provider need not."""
        if is_waiting:
            yield
            return
        if not self._computing.acquire(timeout=context.remaining()):
            raise DeadlineExceeded("the deadline passed before a process was free")
        try:
            yield
        finally:
            self._computing.release()

    def _ask(self, child: _Child, request: Request) -> Result | PlexusError | str:
        """Return a child's answer, and keep the child for the next item. Raises the error that its end stands for."""
        try:
            channel.send(child.connection, request)
            answer = channel.receive(child.connection)
        except (EOFError, OSError):
            raise self._explain(child) from None
        except BaseException:
            self._reap(child)  # its answer would be read as the next item's
            raise
        if answer == OUT_OF_MEMORY:
            self._reap(child)
            raise ScoreEnded(f"the score took more than {self._limits.memory_mib} MiB of memory")
        assert isinstance(answer, (Result, PlexusError, str))
        if request.card is not None:
            child.cards = [*child.cards, request.number][-MAXIMUM_CARDS:]
        self._give_back(child)
        return answer

    def _number(self, scorecard: Scorecard) -> int:
        """Return the number by which children know a scorecard; it stays the same as long as the scorecard exists."""
        with self._lock:
            return self._numbers.setdefault(scorecard, next(self._next_number))

    def _take(self, modules: frozenset[str], number: int) -> _Child:
        """Return an idle child that has the libraries, and if possible the scorecard, or a new one."""
        with self._lock:
            fitting = [child for child in self._idle if modules <= child.modules]
            if not fitting:
                return self._fork(modules)
            best = max(fitting, key=lambda child: number in child.cards)
            self._idle.remove(best)
            return best

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            self._idle.append(child)
            surplus = self._idle[: -self._maximum_idle]
            self._idle = self._idle[-self._maximum_idle :]
        for old in surplus:
            self._reap(old)

    def _fork(self, modules: frozenset[str]) -> _Child:
        """Ask the nursery for a child. A nursery that has ended is replaced once."""
        for attempt in range(2):
            parent_end, child_end = socket.socketpair()
            try:
                socket.send_fds(self._control, [f"fork {' '.join(sorted(modules))}".encode()], [child_end.fileno()])
                return _Child(self._read_number(), parent_end, modules)
            except (OSError, EOFError):
                parent_end.close()
                if attempt:
                    raise
                for child in self._idle:
                    child.connection.shutdown(socket.SHUT_RDWR)
                self._idle.clear()
                self._control.close()
                self._control = self._fork_nursery()
            finally:
                child_end.close()
        raise AssertionError("the loop returns or raises")

    def _fork_nursery(self) -> socket.socket:
        parent_end, child_end = socket.socketpair()
        if (pid := os.fork()) == 0:
            try:
                parent_end.close()
                # Forked again: this process reaps its child here, and the nursery belongs to init.
                if os.fork() == 0:
                    run_nursery(child_end, self._artifacts, self._limits)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        child_end.close()
        return parent_end

    def _reap(self, child: _Child) -> int:
        """End a child that may have ended; returns its exit status, or the negative number of its signal."""
        with contextlib.suppress(OSError):
            child.connection.shutdown(socket.SHUT_RDWR)  # also if another process inherited it
        child.connection.close()
        with self._lock:
            self._control.sendall(f"reap {child.pid}".encode())
            return self._read_number()

    def _read_number(self) -> int:
        content = b""
        while not content.endswith(b"\n"):
            part = self._control.recv(32)
            if not part:
                raise EOFError
            content += part
        return int(content)

    def _explain(self, child: _Child) -> PlexusError:
        """Return the error that the end of a child means for its item."""
        try:
            status = self._reap(child)
        except (OSError, EOFError):
            return ScoreEnded("the process that computed the score was ended, and so was its parent")
        if status == -signal.SIGALRM:
            return DeadlineExceeded("the score did not stop at its deadline, and its process was ended")
        if status == -signal.SIGPROF:
            return ScoreEnded(f"the score took more than {self._limits.cpu_s:g} s of processor time")
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return ScoreEnded(f"the process that computed the score ended with {name}")
