"""Take inputs from folders and tar files on this machine, recognized by size and hash, whatever their names."""

import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from nix.cache import input_cache
from nix.pins import Input, InputProblem


def list_named_places() -> list[Path]:
    """Return the folders and tar files that ARCHIVE names, with colons between them; InputProblem if one is missing.

    In the variable's order; [] if it is unset.
    """
    named = [Path(text) for text in os.environ.get("ARCHIVE", "").split(os.pathsep) if text]
    absent = [str(path) for path in named if not path.exists()]
    if absent:
        raise InputProblem(
            f"ARCHIVE: no such folder or file: {', '.join(absent)}\n"
            "next: name what `make archive ARCHIVE=FOLDER` wrote, or the archive of a release"
        )
    return named


def take_from(places: Sequence[Path], wanted: Sequence[Input], work: Path) -> None:
    """Copy the wanted inputs that lie in these folders and tar files into the cache; `work` is on its file system.

    Files are not changed, and recognized by size and hash; those that match nothing are ignored. Tar files come first.
    """
    for place in places:
        if place.is_file():
            with place.open("rb") as file:
                take_from_tar(file, wanted, work)
    by_size = group_by_size(wanted)
    for path in list_files(place for place in places if place.is_dir()):
        for input_ in by_size.get(path.stat().st_size, ()):
            if input_cache.hash_file(path) == input_.sha256:
                copy = work / input_.file_name
                shutil.copyfile(path, copy)
                input_cache.store_if_valid(copy, input_)


def take_from_tar(file: BinaryIO, wanted: Sequence[Input], work: Path) -> None:
    """Read a tar file from its beginning until all wanted inputs are in the cache, or it ends.

    InputProblem if it is not a tar file, or truncated; what arrived before stays.
    """
    left = group_by_size(wanted)
    try:
        with tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                if not left:
                    return
                if member.isreg() and member.size in left:
                    take_member(archive, member, left, work)
    except (tarfile.TarError, EOFError) as error:
        raise InputProblem(f"{getattr(file, 'name', 'archive')}: not a whole tar file: {error}") from None


def take_member(archive: tarfile.TarFile, member: tarfile.TarInfo, left: dict[int, list[Input]], work: Path) -> None:
    """Store a member if it is one of the inputs of its size, and remove that from `left`.

    At most one input is stored. The member is read once, in its place in the stream.
    """
    content, copy = archive.extractfile(member), work / f"member-{os.getpid()}"
    assert content is not None, "a regular file has content"
    with copy.open("wb") as target:
        shutil.copyfileobj(content, target)
    for input_ in left[member.size]:
        if input_cache.find_mismatch(input_, copy) is None:
            input_cache.store(copy, input_)
            left[member.size].remove(input_)
            break
    copy.unlink(missing_ok=True)
    if not left[member.size]:
        del left[member.size]


def group_by_size(wanted: Sequence[Input]) -> dict[int, list[Input]]:
    """Group inputs by their size in bytes."""
    by_size: dict[int, list[Input]] = {}
    for input_ in wanted:
        by_size.setdefault(input_.size, []).append(input_)
    return by_size


def list_files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files below folders."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())
