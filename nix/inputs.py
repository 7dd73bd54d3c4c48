#!/usr/bin/env python3
"""Pinned inputs: fetch them by hash into the cache, and unpack them into roots.

    inputs.py fetch [--from FOLDER]... [GROUP...]   fill the cache
    inputs.py root NAME                             a folder of unpacked Debian packages; prints its path

Sources, in this order: the cache, the folders of --from and ARCHIVE, what a killed fetch left, the repository that
ARCHIVE_REGISTRY names, then apt's mirrors (or DEBIAN_MIRROR's) and pip's index as they are configured.
"""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import vault
from cache import cache_dir, in_use, locked
from pins import GROUPS, Input, InputProblem, Wheel, deb_lock, inputs_of, wheel_lock
from workspace import workspace

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
    from filling import fill  # with its clients, a third of a build's start that finds everything in the cache

    with in_use(), locked("fetch"):
        lack = vault.missing(lack)
        if lack:
            fill(lack, folders)


def archive_folders() -> list[Path]:
    """The folders that ARCHIVE names, with colons between them; InputProblem for one that is not there."""
    named = [Path(text) for text in os.environ.get("ARCHIVE", "").split(os.pathsep) if text]
    absent = [str(path) for path in named if not path.is_dir()]
    if absent:
        raise InputProblem(f"ARCHIVE names no folder: {', '.join(absent)}; expected what `make archive` wrote")
    return named


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
