"""Layers of the project's own code, at /var/task."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .bytecode import add_bytecode
from .contents import Contents, File, Link, OnDisk
from .exceptions import OciError, UnsafePath
from .host_only import is_host_only
from .paths import TASK


def collect_app(folders: Sequence[Path], tracked: Iterable[str] | None) -> Contents:
    """Collect the entries of an app layer: each folder as /var/task/NAME, without host-only files.

    `tracked` lists the files to include, as paths that start with the folder's name; None includes every file but
    bytecode. Raises OciError if nothing is left, and UnsafePath for a link out of its folder or a special file.
    """
    chosen = None if tracked is None else set(tracked)
    contents = Contents()
    for folder in folders:
        for path in list_files(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            if not is_host_only(name) and (chosen is None or name in chosen):
                add(contents, f"{TASK}/{name}", path, folder)
    if not contents.list_paths():
        raise OciError(f"no files for the app layer: {', '.join(map(str, folders))}")
    add_bytecode(contents)
    return contents


def list_files(folder: Path) -> Iterator[Path]:
    """Yield every file and link below `folder` except bytecode."""
    for where, folders, names in os.walk(folder):
        here = Path(where)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name != "__pycache__" and name not in links]
        yield from (here / name for name in names + links if not name.endswith(".pyc"))


def add(contents: Contents, name: str, path: Path, folder: Path) -> None:
    """Add one file or link; raises UnsafePath for a link that leads out of `folder`."""
    if path.is_symlink():
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UnsafePath(f"{path}: the link leads out of {folder}, and the image would not have its target")
        contents.add(name, Link(str(path.readlink())), folder.name)
    elif path.is_file():
        contents.add(name, File(OnDisk(path), bool(path.stat().st_mode & 0o111)), folder.name)
    else:
        raise UnsafePath(f"{path}: expected a file or a symbolic link")
