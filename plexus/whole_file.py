"""Files that appear complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plexus.exceptions import PlexusError, attach_filename


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield the path to write to: a temporary file that replaces `path` when the block ends without an exception.

    The file that a symbolic link names is replaced, the link stays. A device, a FIFO or a socket (`/dev/full`,
    `/dev/stdout`) is written in place: renaming a file over it would destroy it. An OSError names `path`.
    """
    with attach_filename(path):
        if path.exists() and not path.is_file():
            yield path
            return
        target = path.resolve()
        half = target.with_name(f".{target.name}.{os.getpid()}.half")
        try:
            yield half
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, and its folder if needed, completely or not at all. Raises PlexusError if it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as half:
            half.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlexusError(f"cannot write {path}: {error.strerror or error}") from None
