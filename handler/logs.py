"""Structured logs: one JSON object per line on stdout. Callers never pass an item's text."""

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
    """A stream, a minimum level, and the fields that are on every line (request, trace, message, job)."""

    level: str = "INFO"
    fields: Mapping[str, object] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    stream: TextIO | None = None

    def bind(self, **fields: object) -> "Log":
        """Return the same log with more fields; a field of the same name is replaced."""
        return replace(self, fields={**self.fields, **fields})

    def info(self, message: str, **fields: object) -> None:
        """Log an expected event."""
        self._write("INFO", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Log a problem that will be retried."""
        self._write("WARNING", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Log a problem that needs a person."""
        self._write("ERROR", message, fields)

    def _write(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        if LEVELS[level] < LEVELS[self.level]:
            return
        known = {name: value for name, value in {**self.fields, **fields}.items() if value is not None}
        line = {"timestamp": self.clock.timestamp(), "level": level, "message": message, **known}
        self.raw(json.dumps(line, default=str))

    def raw(self, line: str) -> None:
        """Write a line that is JSON already, whatever the level."""
        stream = self.stream or sys.stdout
        # One call per line: threads share the stream, and Lambda turns each write into a log event.
        stream.write(line + "\n")
        stream.flush()


def locate_frame(trace: TracebackType | None) -> str | None:
    """Return where an error was raised: `module:line` of the innermost three frames, without values or messages."""
    frames = []
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-3:])) or None
