#!/usr/bin/env python3
"""Pinned inputs: fetch them by hash into the cache, and unpack them into roots.

    inputs.py fetch [--from FOLDER]... [GROUP...]   fill the cache
    inputs.py root NAME                             a folder of unpacked Debian packages; prints its path

Sources, in this order: the cache, the folders of --from and ARCHIVE, what a killed fetch left, the repository that
ARCHIVE_REGISTRY names, then apt's mirrors (or DEBIAN_MIRROR's) and pip's index as they are configured.
"""

import argparse
import contextlib
import errno
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import meter
import sources
import vault
from cache import cache_dir, in_use, locked
from pins import GROUPS, Deb, Input, InputProblem, Wheel, deb_lock, inputs_of, wheel_lock
from registry_archive import from_registry, named_repository
from tools import Tools, tools
from workspace import leftovers, workspace

from oci.archive import unpack_debs
from oci.nar import nar_hash


def fetch(groups: Sequence[str] = ("image",), folders: Sequence[Path] = ()) -> None:
    """Fill the cache with the inputs of these groups; InputProblem names all that cannot be had, and the ways."""
    fetch_these([one for group in groups for one in inputs_of(group)], folders)


def fetch_these(wanted: Sequence[Input], folders: Sequence[Path] = ()) -> None:
    """The same for inputs that are named one by one."""
    folders = [*folders, *archive_folders()]
    lack = vault.missing(wanted)
    if not lack:
        return
    with in_use(), locked("fetch"):
        lack = vault.missing(lack)
        if lack:
            _fill(lack, folders)


def archive_folders() -> list[Path]:
    """The folders that ARCHIVE names, with colons between them; InputProblem for one that is not there."""
    named = [Path(text) for text in os.environ.get("ARCHIVE", "").split(os.pathsep) if text]
    absent = [str(path) for path in named if not path.is_dir()]
    if absent:
        raise InputProblem(f"ARCHIVE names no folder: {', '.join(absent)}; expected what `make archive` wrote")
    return named


def _fill(lack: list[Input], folders: Sequence[Path]) -> None:
    """Go through the sources with what the cache lacks."""
    archive, reasons = named_repository(), sources.Reasons()
    with workspace(keep_leftovers=True) as work, tools() as running:
        sources.from_folders(lack, [*folders, *leftovers()], work)
        lack = vault.missing(lack)
        if archive and lack:
            with _metered(lack, work, f"from {archive}"):
                reasons = from_registry(lack, archive, work)
            lack = vault.missing(lack)
        if lack:
            with _metered(lack, work, "as apt and pip are configured"):
                reasons |= _from_clients(lack, work, running)
    lack = vault.missing(lack)
    if lack:
        raise InputProblem(_unavailable(lack, reasons, [*map(str, folders), *([str(archive)] if archive else [])]))


@contextlib.contextmanager
def _metered(lack: Sequence[Input], work: Path, whence: str) -> Iterator[None]:
    """Say what is fetched and how far it is; the disk is looked at first."""
    total = sum(one.size for one in lack)
    _room(work, total)
    print(f"fetching {len(lack)} inputs, {total / 1e6:.0f} MB, {whence}", file=sys.stderr, flush=True)
    before = meter.size_of(vault.folder())
    with meter.meter(total, lambda: meter.size_of(vault.folder()) - before + meter.size_of(work)):
        yield


def _from_clients(lack: Sequence[Input], work: Path, running: Tools) -> sources.Reasons:
    """Ask apt's mirrors and pip's index, both at once."""
    debs, wheels = [x for x in lack if isinstance(x, Deb)], [x for x in lack if isinstance(x, Wheel)]
    with ThreadPoolExecutor(2) as pool:
        try:
            jobs = [pool.submit(sources.from_mirrors, debs, work, running)] if debs else []
            jobs += [pool.submit(sources.from_pip, wheels, work, running)] if wheels else []
            return {one: why for job in jobs for one, why in job.result().items()}
        except BaseException:
            running.stop()  # or the pool would wait for them
            raise


def _room(work: Path, total: int) -> None:
    """Say beforehand that the disk is too small: pip would only say that something failed."""
    free = shutil.disk_usage(work).free
    if free < 2 * total:  # what is downloaded is copied once
        raise InputProblem(
            f"the cache {cache_dir()} has {free / 1e6:.0f} MB left on its disk, expected {2 * total / 1e6:.0f} MB; "
            "free some (make cache-prune), or name another folder: SCORE_PROCESSOR_CACHE=…"
        )


def _unavailable(lack: Sequence[Input], reasons: sources.Reasons, archives: Sequence[str]) -> str:
    """Everything that is missing and why, all the ways that were tried, and those that are left."""
    listed = "".join(f"\n  {one}: {reasons.get(one, 'not found')}" for one in lack)
    named = ", ".join(archives) or "none named"
    where = "DEBIAN_MIRROR" if "DEBIAN_MIRROR" in os.environ else f"apt's mirrors ({len(sources.mirrors())} configured)"
    return (
        f"{len(lack)} of the pinned inputs cannot be had:{listed}\n"
        f"tried, in this order: the cache {cache_dir()}, archives ({named}), {where}, pip's index\n"
        "next: mend the network, or what apt and pip are configured with, and run it again (what arrived stays);\n"
        "      or a folder that holds the files: ARCHIVE=FOLDER make build (make archive ARCHIVE=FOLDER writes it);\n"
        "      or the archive in the stage's registry: ARCHIVE_REGISTRY=stage make build (make archive filled it);\n"
        "      or, on a host without apt, mirrors of Debian: DEBIAN_MIRROR='ADDRESS ADDRESS' make build"
    )


def cached_wheels() -> dict[str, list[Wheel]]:
    """The image's wheels by layer, all in the cache."""
    fetch(["image"])
    found: dict[str, list[Wheel]] = {}
    for wheel in wheel_lock():
        found.setdefault(wheel.layer, []).append(wheel)
    return found


def root(name: str) -> Path:
    """The unpacked Debian packages of a group."""
    if name not in GROUPS:
        raise InputProblem(f"no root is named {name!r}; known: {', '.join(GROUPS)}")
    lock = deb_lock(name)
    done = cache_dir() / "roots" / f"{name}-{lock.root[:16]}" / "root"
    if done.exists():
        return done
    debs: list[Input] = list(lock.debs)
    fetch([name])
    with in_use(), locked(f"root-{name}"), workspace() as work:
        if not done.exists():
            unpack_debs([vault.place(deb) for deb in debs], work / "tree" / "root")
            got = nar_hash(work / "tree" / "root")
            if got != lock.root:
                raise InputProblem(f"root {name}: expected NAR hash {lock.root}, got {got}")
            vault.made(done.parent.parent)
            (work / "tree").rename(done.parent)
    return done


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    fetching = verbs.add_parser("fetch", help="fill the cache")
    fetching.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    fetching.add_argument("--from", dest="folders", type=Path, action="append", default=[], metavar="FOLDER")
    rooting = verbs.add_parser("root", help="print the path of the unpacked packages of a group")
    rooting.add_argument("name", metavar="NAME")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        if options.verb == "root":
            print(root(options.name))
        else:
            fetch(options.groups or GROUPS, options.folders)
    except InputProblem as problem:
        print(f"inputs: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"inputs: {told(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("inputs: interrupted; what is fetched is kept", file=sys.stderr)
        return 130
    return 0


def told(problem: OSError) -> str:
    """An error of the file system, where, and what to do."""
    where = problem.filename or cache_dir()
    if problem.errno == errno.ENOSPC:
        return f"{where}: the disk is full; free some (make cache-prune), or SCORE_PROCESSOR_CACHE=… on another disk"
    if problem.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOENT, errno.ENOTDIR):
        return f"{where}: {problem.strerror}; expected a cache that you can write to: SCORE_PROCESSOR_CACHE=…"
    return f"{where}: {problem.strerror or problem}"


if __name__ == "__main__":
    sys.exit(main())
