"""Rich's console, hardened: untrusted text is printed, never interpreted by the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from .text import escape_controls


class Printer(Console):
    """Rich's console for standard output, without emoji, highlighting or its own line breaks."""

    def __init__(self) -> None:
        super().__init__(emoji=False, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does; control characters are replaced before the width is measured."""
        super().print(*(escape_controls(one) if isinstance(one, str) else one for one in objects), **options)

    def render(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        """Render as rich does, with control characters of the text replaced."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else segment._replace(text=escape_controls(segment.text))

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError for the command to handle; rich would exit with 1."""
        raise BrokenPipeError
