"""The panels with their last values: each is read by itself, at most so often, and fails by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._aws import explain
from .._errors import OperationFailed
from .connection import Connection, ReadOnly
from .hygiene import shown
from .values import Panel, Snapshot

PATIENCE_S = 1.5


@dataclass(frozen=True)
class Source:
    """How a panel is read, and how many seconds its value is good for."""

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
    """Values shared by all who look: two open pages make no more calls than one.

    Nothing is read while nobody asks. Each reading has a thread of its own that ends with the process, so that a
    panel whose AWS does not answer holds up neither the others nor the end.
    """

    def __init__(
        self, connection: Connection, sources: Sequence[Source], clock: Callable[[], float] = time.time
    ) -> None:
        self.connection, self._clock = connection, clock
        self._lock = threading.Lock()
        self._slots: Mapping[str, _Slot] = {
            source.name: _Slot(source, Panel(source.name, source.title, every_s=source.every_s)) for source in sources
        }

    def snapshot(self, patience_s: float = PATIENCE_S) -> Snapshot:
        """Read what is due, wait so long for it, and return what is known then."""
        waiting = [slot for slot in self._slots.values() if self._begin(slot)]
        end = time.monotonic() + patience_s
        for slot in waiting:
            slot.ended.wait(max(0.0, end - time.monotonic()))
        stage = self.connection.stage
        with self._lock:
            panels = {name: slot.panel for name, slot in self._slots.items()}
        return Snapshot(stage.name, stage.region, stage.function.name, self._clock(), panels)

    def _begin(self, slot: _Slot) -> bool:
        """Start a reading where one is due; whether one is under way."""
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
        told = replace(slot.panel, problem="", remedy="", read_at=self._clock())
        try:
            told = replace(told, value=slot.source.read(self.connection()))
        except Exception as error:
            known = explain(error, self.connection.stage) or error
            problem = known.problem if isinstance(known, OperationFailed) else f"{type(known).__name__} while reading"
            remedy = known.remedy if isinstance(known, OperationFailed) else "this is a defect of the page: report it"
            told = replace(told, problem=shown(problem), remedy=shown(remedy), read_at=slot.panel.read_at)
        with self._lock:
            slot.panel = told
            slot.ended.set()
