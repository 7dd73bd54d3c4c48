"""Pages as files."""

from __future__ import annotations

from pathlib import Path

from plexus.whole_file import whole_file


def write_page(text: str, path: Path) -> Path:
    """Write an HTML page, and its folder if needed, completely or not at all; return its absolute path, unresolved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as half:
        half.write_text(text, encoding="utf-8")
    return path.absolute()  # resolved, /dev/stdout would be a pipe under /proc
