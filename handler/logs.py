"""Structured logs: one JSON object a line on stdout, with what was bound before; never an item's text."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TextIO

from handler.clock import Clock

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


@dataclass(frozen=True)
class Log:
    """A place to write to, and the fields that every line carries (request, message, job, score)."""

    level: str = "INFO"
    fields: Mapping[str, object] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    stream: TextIO | None = None

    def bind(self, **fields: object) -> "Log":
        """The same log with more fields."""
        return replace(self, fields={**self.fields, **fields})

    def debug(self, message: str, **fields: object) -> None:
        """For following one job."""
        self._write("DEBUG", message, fields)

    def info(self, message: str, **fields: object) -> None:
        """What happened as it should."""
        self._write("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """What will be tried again."""
        self._write("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """What needs a person."""
        self._write("ERROR", message, fields)

    def _write(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS[level] < LEVELS[self.level]:
            return
        told = {name: value for name, value in {**self.fields, **fields}.items() if value is not None}
        line = {"timestamp": self.clock.timestamp(), "level": level, "message": message, **told}
        self.raw(json.dumps(line, default=str))

    def raw(self, line: str) -> None:
        """A line that is JSON already, at every level."""
        stream = self.stream or sys.stdout
        # One call a line: threads share the stream, and Lambda makes an event of each write.
        stream.write(line + "\n")
        stream.flush()


def place(trace: TracebackType | None) -> str | None:
    """Where an error was raised, `module:line` of the innermost frames; no values, no message."""
    frames = []
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-3:])) or None
