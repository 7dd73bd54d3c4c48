"""The panels and their last values. Each panel is read at its own interval and fails on its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..aws.clients import explain
from ..console.errors import OperationFailed
from .connection import Connection, ReadOnly
from .hygiene import sanitize
from .values import Panel, Snapshot

PATIENCE_S = 1.5  # the page asks again every few seconds, and a late panel is then there


@dataclass(frozen=True)
class Source:
    """How a panel is read, and for how many seconds its value stays fresh."""

    name: str
    title: str
    read: Callable[[ReadOnly], Any]
    every_s: float


@dataclass
class _Slot:
    source: Source
    panel: Panel
    began: float = float("-inf")
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.ended.set()


class Board:
    """Values shared by all open pages: two pages make no more AWS calls than one.

    Nothing is read unless a page asks. Each reading has its own daemon thread, so that an AWS call that hangs delays
    neither other panels nor the exit.
    """

    def __init__(
        self, connection: Connection, sources: Sequence[Source], clock: Callable[[], float] = time.time
    ) -> None:
        self.connection, self._clock = connection, clock
        self._lock = threading.Lock()
        self._slots: Mapping[str, _Slot] = {
            source.name: _Slot(source, Panel(source.name, source.title, every_s=source.every_s)) for source in sources
        }

    def take_snapshot(self, patience_s: float = PATIENCE_S) -> Snapshot:
        """Read the panels that are due, wait at most so many seconds for them, and return all values.

        Thread-safe. A panel that is not read in time keeps its last value and its time; its read continues for
        the next snapshot.
        """
        waiting = [slot for slot in self._slots.values() if self._begin(slot)]
        end = time.monotonic() + patience_s
        for slot in waiting:
            slot.ended.wait(max(0.0, end - time.monotonic()))
        stage = self.connection.stage
        with self._lock:
            panels = {name: slot.panel for name, slot in self._slots.items()}
        return Snapshot(stage.name, stage.region, stage.function.name, self._clock(), panels)

    def _begin(self, slot: _Slot) -> bool:
        """Start a reading if one is due; return whether one is in progress."""
        with self._lock:
            if not slot.ended.is_set():
                return True
            if self._clock() < slot.began + slot.source.every_s:
                return False
            slot.began = self._clock()
            slot.ended.clear()
        threading.Thread(target=self._read, args=(slot,), daemon=True, name=f"read-{slot.source.name}").start()
        return True

    def _read(self, slot: _Slot) -> None:
        panel = replace(slot.panel, problem="", remedy="", read_at=self._clock())
        try:
            panel = replace(panel, value=slot.source.read(self.connection()))
        except Exception as error:
            known = explain(error, self.connection.stage) or error
            problem = known.problem if isinstance(known, OperationFailed) else f"{type(known).__name__} while reading"
            remedy = known.remedy if isinstance(known, OperationFailed) else "this is a bug in the dashboard: report it"
            panel = replace(panel, problem=sanitize(problem), remedy=sanitize(remedy), read_at=slot.panel.read_at)
        with self._lock:
            slot.panel = panel
            slot.ended.set()
