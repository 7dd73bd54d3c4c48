"""What is printed for people: words from outside are shown, and never obeyed by the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from ._text import printable


class Printer(Console):
    """Rich's console for standard output, without its own ideas of what a text might mean."""

    def __init__(self) -> None:
        super().__init__(emoji=False, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does; texts are made fit to be shown before their width is measured."""
        super().print(*(printable(one) if isinstance(one, str) else one for one in objects), **options)

    def render(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        """Render as rich does, with what a terminal would take for a command replaced."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))

    def on_broken_pipe(self) -> None:
        """Leave it to the command; rich would end the process with 1."""
        raise BrokenPipeError
