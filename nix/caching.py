#!/usr/bin/env python3
"""What the cache holds, and what of it the locks of this commit still need.

    caching.py show [--json]
    caching.py prune [--dry-run] [--json]
    caching.py clear                        remove everything; what else lies in the cache's folder stays

Standard library only. Everything in the cache can be made again; pruning costs time, never a result.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import unread
from cache import KINDS, TAG, cache_dir, is_ours, to_ourselves
from needs import Needed, needs, users_of_layers

DONE, FAILED, INTERRUPTED = 0, 1, 130
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Entry:
    """One thing in the cache: its size in bytes, and when it was made, in seconds since 1970."""

    kind: str
    name: str
    size: int
    made: float
    needed: bool


@dataclass(frozen=True)
class Summary:
    """All entries of a kind: sizes in bytes, ages in seconds."""

    kind: str
    what: str
    entries: int
    size: int
    unneeded: int
    oldest: float
    newest: float


def entries(needed: Needed) -> list[Entry]:
    """Everything in the cache, files with several names counted once."""
    seen: set[tuple[int, int]] = set()
    found = []
    for kind in sorted(cache_dir().iterdir()):
        inside = sorted(kind.iterdir()) if kind.is_dir() and not kind.is_symlink() else []
        for path in inside:
            size = sum(file_sizes(path, seen))
            found.append(Entry(kind.name, path.name, size, path.lstat().st_mtime, needed(kind.name, path.name)))
    return found


def file_sizes(path: Path, seen: set[tuple[int, int]]) -> Iterator[int]:
    """Bytes of each file at or below a path that was not seen before."""
    below = (Path(where) / name for where, _, names in os.walk(path) for name in names)
    for file in [path] if path.is_symlink() or path.is_file() else below:
        try:
            status = file.lstat()
        except FileNotFoundError:  # taken away meanwhile
            continue
        if (mark := (status.st_dev, status.st_ino)) not in seen:
            seen.add(mark)
            yield status.st_size


def summaries(found: Sequence[Entry]) -> list[Summary]:
    """One line for each kind, the largest first."""
    now, made = time.time(), []
    for kind in {entry.kind for entry in found}:
        of_kind = [entry for entry in found if entry.kind == kind]
        ages = [now - entry.made for entry in of_kind]
        size, spare = sum(entry.size for entry in of_kind), sum(entry.size for entry in of_kind if not entry.needed)
        made.append(Summary(kind, KINDS.get(kind, "?"), len(of_kind), size, spare, max(ages), min(ages)))
    return sorted(made, key=lambda summary: -summary.size)


def table(found: Sequence[Summary]) -> str:
    """The summaries, for people."""
    width = max((len(summary.kind) for summary in found), default=4)
    lines = [f"{'kind':{width}}  {'entries':>7}  {'MB':>8}  {'unneeded':>8}  {'oldest':>7}  {'newest':>7}  what it is"]
    for one in found:
        lines.append(
            f"{one.kind:{width}}  {one.entries:7}  {one.size / MEGABYTE:8.1f}  {one.unneeded / MEGABYTE:8.1f}"
            f"  {age(one.oldest):>7}  {age(one.newest):>7}  {one.what}"
        )
    total, unneeded = sum(one.size for one in found), sum(one.unneeded for one in found)
    lines.append(
        f"{'all':{width}}  {sum(one.entries for one in found):7}  {total / MEGABYTE:8.1f}  {unneeded / MEGABYTE:8.1f}"
    )
    return "\n".join(lines)


def age(seconds: float) -> str:
    """A length of time in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def show(*, as_json: bool) -> int:
    """Print what is there."""
    found = summaries(entries(needs()))
    told = {"folder": str(cache_dir()), "kinds": [asdict(one) for one in found]}
    print(json.dumps(told, indent=1) if as_json else f"{table(found)}\n{cache_dir()}")
    return DONE


def prune(*, dry_run: bool, as_json: bool) -> int:
    """Remove what nothing needs, and print it; FAILED while a build works with the cache."""
    try:
        with to_ourselves():
            gone = [entry for entry in entries(needs()) if not entry.needed]
            for entry in [] if dry_run else gone:
                remove(cache_dir() / entry.kind / entry.name)
    except BlockingIOError:
        print("cache: a build is working with it; run this again when it has ended", file=sys.stderr)
        return FAILED
    if as_json:
        print(json.dumps({"dry_run": dry_run, "removed": [asdict(entry) for entry in gone]}, indent=1))
        return DONE
    for entry in gone:
        print(f"{entry.kind}/{entry.name}  {entry.size / MEGABYTE:.1f} MB")
    size = sum(entry.size for entry in gone) / MEGABYTE
    print(f"{'would remove' if dry_run else 'removed'} {len(gone)} entries, {size:.1f} MB")
    for pid in users_of_layers():
        print(f"kept all of roots, sites and unpacked: the local AWS of process {pid} runs from them (make stop)")
    return DONE


def clear() -> int:
    """Remove all that is ours; FAILED while anybody works with it."""
    users = users_of_layers()
    try:
        if users:
            raise BlockingIOError
        with to_ourselves():
            ours = (path for path in cache_dir().iterdir() if is_ours(path))
            for path in sorted(ours, key=lambda path: path.name == "locks"):  # in which we hold one: it goes last
                remove(path)
    except BlockingIOError:
        who = f"the local AWS of process {users[0]} (make stop)" if users else "a build"
        print(f"cache: {who} is working with it; run this again when it has ended", file=sys.stderr)
        return FAILED
    with contextlib.suppress(OSError):  # other things are in it
        (cache_dir() / TAG).unlink()
        cache_dir().rmdir()
    return DONE


def remove(path: Path) -> None:
    """Remove one entry: first its name, so that a kill leaves no half of it under the name."""
    grave = path.with_name(f".gone-{os.getpid()}-{path.name}")
    path.rename(grave)
    if grave.is_symlink() or grave.is_file():
        grave.unlink()
        return
    for folder, _, _ in os.walk(grave):
        Path(folder).chmod(0o700)
    shutil.rmtree(grave)


def main(words: Sequence[str] | None = None) -> int:
    """0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("clear")
    for name in ("show", "prune"):
        verbs.add_parser(name).add_argument("--json", action="store_true")
    verbs.choices["prune"].add_argument("--dry-run", action="store_true", help="say what would go, and keep it")
    arguments = parser.parse_args(words)
    try:
        if arguments.verb == "show":
            return show(as_json=arguments.json)
        if arguments.verb == "clear":
            return clear()
        return prune(dry_run=arguments.dry_run, as_json=arguments.json)
    except OSError as problem:
        print(f"cache: {problem.filename or cache_dir()}: {problem.strerror}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("cache: interrupted; what is left is whole", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
