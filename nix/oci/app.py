"""The app layer: this project's own folders, at `/var/task`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from oci.bytecode import add_bytecode
from oci.contents import Contents, File, Link, OnDisk
from oci.exceptions import OciError, UnsafePath
from oci.host_only import is_host_only
from oci.places import TASK


def app_contents(folders: Sequence[Path], tracked: Iterable[str] | None) -> Contents:
    """The entries of the app layer: each folder as `/var/task/<its name>`, less what only a host uses.

    `tracked` names the files to take, as paths that begin with the folder's name; without it, all but `__pycache__`.
    """
    chosen = None if tracked is None else set(tracked)
    contents = Contents()
    for folder in folders:
        for path in files(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            if not is_host_only(name) and (chosen is None or name in chosen):
                add(contents, f"{TASK}/{name}", path, folder)
    if not contents.paths():
        raise OciError(f"there is nothing to put into the app layer in {', '.join(map(str, folders))}")
    add_bytecode(contents)
    return contents


def files(folder: Path) -> Iterator[Path]:
    """Every file and link below `folder`, bytecode excepted."""
    for where, folders, names in os.walk(folder):
        here = Path(where)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name != "__pycache__" and name not in links]
        yield from (here / name for name in names + links if not name.endswith(".pyc"))


def add(contents: Contents, name: str, path: Path, folder: Path) -> None:
    """Add one file or link; UnsafePath for a link that leads out of `folder`."""
    if path.is_symlink():
        if not path.resolve().is_relative_to(folder.resolve()):
            raise UnsafePath(f"{path} is a link that leads out of {folder}; the image would not hold its target")
        contents.add(name, Link(str(path.readlink())), folder.name)
    elif path.is_file():
        contents.add(name, File(OnDisk(path), bool(path.stat().st_mode & 0o111)), folder.name)
    else:
        raise UnsafePath(f"{path} is neither a file nor a link; a layer may not hold it")
