"""Keeping a folder of artifacts under a size, without taking one away from a process that has just asked for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

#: An artifact used this recently (seconds) stays, whatever the size: someone may be loading it.
GRACE = 120


def touch(place: Path) -> None:
    """Marks an artifact as used now."""
    with contextlib.suppress(OSError):
        os.utime(place)


def shrink(folder: Path, maximum_bytes: int, *, keep: str = "") -> list[str]:
    """Removes the least recently used artifacts until the rest fits; gives the names of what went."""
    used = sorted((place.stat().st_mtime, _size(place), place) for place in folder.iterdir() if place.is_dir())
    total = sum(size for _, size, _ in used)
    removed = []
    for moment, size, place in used:
        if total <= maximum_bytes:
            break
        if place.name == keep or time.time() - moment < GRACE:
            continue
        shutil.rmtree(place, ignore_errors=True)
        removed.append(place.name)
        total -= size
    return removed


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
