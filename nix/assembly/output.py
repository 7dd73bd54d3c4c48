"""The folder that a build writes, and its record beside it: replaced in one step, by one build at a time."""

import contextlib
import ctypes
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nix.assembly.assembler import BuildProblem
from nix.revision import Checkout

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def refuse_foreign(output: Path) -> None:
    """Raise BuildProblem if FOLDER or FOLDER.json exists and was not written by a build, which replaces both.

    An empty folder is accepted. Call it before the build, so that nothing is built in vain.
    """
    record = record_file(output)
    whole = not output.exists() or (output.is_dir() and (not any(output.iterdir()) or (output / "oci-layout").exists()))
    if not whole or (record.exists() and b'"config_digest"' not in record.read_bytes()):
        raise BuildProblem(
            f"cannot replace {output if not whole else record}: expected nothing, or the output of an earlier build\n"
            "  next: choose another folder with --output"
        )


@contextlib.contextmanager
def working_folder(output: Path) -> Iterator[Path]:
    """Create a working folder on `output`'s file system, so that the result can be renamed; remove it at the end.

    Builds into one folder take turns, those with different caches too: its parent is locked, not a file of a cache.
    """
    prefix = f".{output.name}.building-"
    with folder_lock(output.parent):
        # Those of killed builds; the lock excludes running ones.
        for left in output.parent.glob(f"{glob.escape(prefix)}????????"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=prefix, dir=output.parent))
        work.chmod(0o755)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, after waiting for its holder; without effect on file systems that cannot lock one.

    `folder` must exist. The lock ends with the process, however that ends.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def mark_unfinished(output: Path) -> Iterator[None]:
    """Mark `output` while it is built, and keep the mark if the block fails or is killed.

    `output` then still has an earlier build's image, which a later push or deploy would take for the last one.
    """
    mark = locate_unfinished_mark(output)
    mark.touch()
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            mark.touch()  # another build into `output`, which had waited for this one or was waited for, removed it
        raise
    mark.unlink(missing_ok=True)


def locate_unfinished_mark(output: Path) -> Path:
    """Return the path of the file that exists if the last build of `output` failed or has not ended."""
    return output.with_name(f"{output.name}.unfinished")


def hash_source(source: Checkout) -> str:
    """Return the digest of the files that an image is built from, whether they are committed or not."""
    total = hashlib.sha256()
    for path, file in source.select_below().items():
        total.update(b"%s\0%s\0%d\0" % (os.fsencode(path), file.mode.encode(), len(file.data)) + file.data)
    return f"sha256:{total.hexdigest()}"


def publish(layout: Path, record: dict[str, Any], output: Path) -> None:
    """Replace `output` and its .json by a finished layout and its record.

    `layout` is on the same file system. The layout is exchanged in one step, the record just after it: a reader may
    see the new layout with the old record, whose digest then differs. Not durable: nothing is synced to disk.
    """
    part = layout.parent / "image.json"
    part.write_text(json.dumps(record, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    if output.exists():
        exchange(layout, output)  # the old layout is removed with the working folder
    else:
        layout.rename(output)
    part.replace(record_file(output))


def record_file(output: Path) -> Path:
    """Return the path of the record of the layout at `output`."""
    return output.with_name(f"{output.name}.json")


def read_record(output: Path) -> dict[str, Any]:
    """Return the record of the layout at `output`; empty if there is none that can be read."""
    try:
        record = json.loads(record_file(output).read_bytes())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def exchange(new: Path, old: Path) -> None:
    """Swap two folders atomically, or in two renames if the file system cannot."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 and renameat2(AT_FDCWD, bytes(new), AT_FDCWD, bytes(old), RENAME_EXCHANGE) == 0:
        return
    old.rename(new.with_name("old"))
    new.rename(old)
