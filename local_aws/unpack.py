"""Unpack layers into folders named by diff_id: verified while reading, renamed into place when complete.

Owners, extended attributes, devices and pipes are left out: an ordinary user cannot create them, and functions run as
one user. Whiteouts stay files, for the overlay or `flatten` to apply.
"""

import contextlib
import errno
import gzip
import hashlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, cast

from local_aws.exceptions import InvalidImage
from nix.oci.digest import DIGEST

WHITEOUT = ".wh."
LARGEST = 10 * 1000**3  # bytes; Lambda rejects images that unpack to more
# Errors of the file system for contradictory entries or impossible names; None: errors of gzip itself.
CONTRADICTIONS = {None, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR}
MARK = ".whiteouts"  # marks a layer with whiteouts, for which an overlay of plain folders would be wrong


class _Digesting(io.RawIOBase):
    """Reader that hashes what it reads. Raises InvalidImage beyond the largest size that Lambda accepts."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source, self.sha256, self.left = source, hashlib.sha256(), LARGEST

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.sha256.update(data)
        self.left -= len(data)
        if self.left < 0:
            raise InvalidImage(f"a layer unpacks to more than {LARGEST} bytes, the maximum that Lambda accepts")
        return data


def unpack_layers(layers: list[tuple[Path, str]], parent: Path) -> list[Path]:
    """Unpack the (blob, diff_id) pairs that are missing in `parent`. Return all folders, in the same order."""
    parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda layer: unpack_layer(layer[0], layer[1], parent), layers))


def unpack_layer(blob: Path, diff_id: str, parent: Path) -> Path:
    """Unpack one layer (a tar, plain or gzip) into `parent/<hex of diff_id>`.

    Raises InvalidImage if the bytes do not match, and for entries that escape the folder or contradict each other.
    """
    if not DIGEST.fullmatch(diff_id):
        raise InvalidImage(f"layer {blob}: got diff_id {diff_id!r}, expected sha256: and 64 hexadecimal digits")
    target = parent / diff_id.removeprefix("sha256:")
    if target.is_dir():
        return target
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        actual, whiteouts = _extract(blob, work)
        if actual != diff_id:
            raise InvalidImage(f"layer {blob}: got diff_id {actual}, expected {diff_id}, as in the image config")
        if whiteouts:
            (parent / (target.name + MARK)).touch()
        work.chmod(0o755)
        _settle(work, target)
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OverflowError) as error:
        raise InvalidImage(f"layer {blob}: not a tar or gzip file: {error}") from error
    except OSError as error:
        if error.errno not in CONTRADICTIONS:
            raise  # a problem of the disk, not of the layer
        raise InvalidImage(f"layer {blob}: cannot be unpacked: {error}") from error
    finally:
        remove_tree(work)
    return target


def has_whiteouts(layer: Path) -> bool:
    """Return whether an unpacked layer removes files of lower layers."""
    return layer.with_name(layer.name + MARK).exists()


def flatten(layers: list[Path], parent: Path) -> Path:
    """Merge all layers, the lowest first, into one folder below `parent`, for engines and kernels without overlays.

    Files are hard links to those of the layers: `parent` is on their file system. Idempotent; returns the folder.
    """
    key = hashlib.sha256("\n".join(layer.name for layer in layers).encode()).hexdigest()
    target = parent / f"flat-{key[:32]}"
    if target.is_dir():
        return target
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        for layer in layers:
            _merge(layer, work)
        work.chmod(0o755)
        _settle(work, target)
    finally:
        remove_tree(work)
    return target


def remove_tree(folder: Path) -> None:
    """Remove a folder, including read-only directories."""
    if folder.exists():
        for path, _, _ in os.walk(folder):
            Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def _settle(work: Path, target: Path) -> None:
    """Rename a complete folder into place; one that another process put there first has the same content, and stays."""
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _extract(blob: Path, target: Path) -> tuple[str, bool]:
    """Unpack a blob into a new folder; return the digest of its tar, and whether it has whiteouts.

    Times of folders are set last, children first, because each entry that is written changes its folder's.
    """
    with blob.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source = _Digesting(cast(IO[bytes], gzip.GzipFile(fileobj=file)) if packed else file)
        whiteouts = False
        folders: list[tuple[Path, tarfile.TarInfo]] = []
        with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|", bufsize=1 << 20) as archive:
            for member in archive:
                path = _inside(target, member.name)
                whiteouts |= _is_whiteout(path.name)
                _write(archive, member, path, target)
                if member.isdir():
                    folders.append((path, member))
        while source.read(1 << 20):  # what follows the tar's end is part of the diff_id, too
            pass
    for path, member in reversed(folders):
        os.utime(path, (member.mtime, member.mtime))
    return f"sha256:{source.sha256.hexdigest()}", whiteouts


def _inside(target: Path, name: str) -> Path:
    """Return an entry's path below `target`. Raises InvalidImage if it leads out: by `..`, or through a link."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InvalidImage(f"a layer contains the path {name!r}, which escapes the image")
    path = target.joinpath(*parts)
    for parent in path.parents:
        if parent == target:
            break
        if parent.is_symlink():
            raise InvalidImage(f"a layer writes {name!r} through the symbolic link {parent.relative_to(target)}")
    return path


def _is_whiteout(name: str) -> bool:
    """Return whether an entry is a whiteout. Raise InvalidImage if it would remove its own folder or a parent."""
    if name.startswith(WHITEOUT) and name.removeprefix(WHITEOUT) in ("", ".", ".."):
        raise InvalidImage(f"a layer contains the whiteout {name!r}, which does not name a file")
    return name.startswith(WHITEOUT)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, target: Path) -> None:
    """Write one entry in place of what an earlier entry of the same path wrote; devices and FIFOs are left out.

    The owner may read every file and enter every folder, so that the cache can be merged and removed.
    """
    _make_parents(path)
    if member.isdir():
        _replace_non_folder(path)  # Links too: the target may be outside, and would get the folder's mode.
        path.mkdir(exist_ok=True)
        path.chmod(member.mode & 0o1777 | 0o700)
        return
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(_inside(target, member.linkname), path, follow_symlinks=False)
    elif member.issparse():
        raise InvalidImage(f"a layer contains the sparse file {member.name!r}. next: write it without holes")
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None  # a regular file with content
        with path.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        path.chmod(stat.S_IMODE(member.mode) & 0o777 | 0o400)
        os.utime(path, (member.mtime, member.mtime))


def _make_parents(path: Path) -> None:
    """Make the folders that the layer does not name. Whatever the umask, functions of another user may pass them."""
    if not path.parent.is_dir():
        _make_parents(path.parent)
        path.parent.mkdir()
        path.parent.chmod(0o755)


def _merge(layer: Path, target: Path) -> None:
    """Apply a layer to a folder of hard links, its whiteouts first: they remove entries of lower layers only."""
    for folder, names, files in os.walk(layer):
        here = target / Path(folder).relative_to(layer)
        _replace_non_folder(here)
        here.mkdir(exist_ok=True)
        here.chmod(0o755)
        for name in sorted([*files, *names], key=lambda n: not n.startswith(WHITEOUT)):  # removals first
            source = Path(folder, name)
            if name == WHITEOUT + WHITEOUT + ".opq":
                for old in list(here.iterdir()):
                    _remove(old)
            elif name.startswith(WHITEOUT):
                _remove(here / name.removeprefix(WHITEOUT))
            elif source.is_symlink() or not source.is_dir():
                _remove(here / name)
                os.link(source, here / name, follow_symlinks=False)


def _replace_non_folder(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)
