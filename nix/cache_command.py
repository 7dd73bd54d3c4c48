#!/usr/bin/env python3
"""Show, prune and remove the cache. Everything in it can be made again: pruning costs time and nothing else.

python3 -m nix.cache_command show [--json]               entries, size and age by kind, and what this commit needs
python3 -m nix.cache_command prune [--dry-run] [--json]  remove what this commit does not need
python3 -m nix.cache_command clear                       remove everything except other files in the cache's folder
"""

import argparse
import collections
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from nix.assembly.assembler import BuildProblem
from nix.cache.folder import KINDS, create_cache_dir, exclusive, is_ours
from nix.cache_roots import Needed, find_needed_entries, list_local_aws_processes
from nix.clients.progress import measure_folder, show_progress
from nix.command import command
from nix.pins import InputProblem

DONE, FAILED, INTERRUPTED = 0, 1, 130
MEGABYTE = 1_000_000
IN_USE = "cache: in use by {}\nnext: run the same command again after that has ended"


@dataclass(frozen=True)
class Entry:
    """One entry of the cache: size in bytes, time of creation in seconds since 1970."""

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


def list_entries(needed: Needed) -> list[Entry]:
    """List the entries of the cache; the bytes of a file with several names are counted once.

    Sorted by kind and name. Sizes are bytes, `made` is in seconds since 1970. Files in the cache's top folder are not
    entries.
    """
    inodes: set[tuple[int, int]] = set()
    listed = []
    for kind in sorted(create_cache_dir().iterdir()):
        inside = sorted(kind.iterdir()) if kind.is_dir() and not kind.is_symlink() else []
        for path in inside:
            size = sum(measure_files(path, inodes))
            listed.append(Entry(kind.name, path.name, size, path.lstat().st_mtime, needed(kind.name, path.name)))
    return listed


def measure_files(path: Path, counted_files: set[tuple[int, int]]) -> Iterator[int]:
    """Yield the bytes of each file at or below a path that is not in `counted_files`, and add it there.

    A file that is removed meanwhile counts nothing.
    """
    below = (Path(where) / name for where, _, names in os.walk(path) for name in names)
    for file in [path] if path.is_symlink() or path.is_file() else below:
        try:
            status = file.lstat()
        except FileNotFoundError:  # removed meanwhile
            continue
        if (mark := (status.st_dev, status.st_ino)) not in counted_files:
            counted_files.add(mark)
            yield status.st_size


def sum_kinds(all_entries: Sequence[Entry]) -> list[Summary]:
    """Sum up each kind, the largest first.

    Ages are seconds until now, sizes bytes.
    """
    now, rows = time.time(), []
    for kind in {entry.kind for entry in all_entries}:
        of_kind = [entry for entry in all_entries if entry.kind == kind]
        ages = [now - entry.made for entry in of_kind]
        size, spare = sum(entry.size for entry in of_kind), sum(entry.size for entry in of_kind if not entry.needed)
        rows.append(Summary(kind, KINDS.get(kind, "?"), len(of_kind), size, spare, max(ages), min(ages)))
    return sorted(rows, key=lambda summary: -summary.size)


def format_summaries(rows: Sequence[Summary]) -> str:
    """Format the summaries as a table."""
    width = max((len(summary.kind) for summary in rows), default=4)
    lines = [f"{'kind':{width}}  {'entries':>7}  {'MB':>8}  {'unneeded':>8}  {'oldest':>7}  {'newest':>7}  what it is"]
    for row in rows:
        lines.append(
            f"{row.kind:{width}}  {row.entries:7}  {row.size / MEGABYTE:8.1f}  {row.unneeded / MEGABYTE:8.1f}"
            f"  {format_age(row.oldest):>7}  {format_age(row.newest):>7}  {row.what}"
        )
    total, unneeded = sum(row.size for row in rows), sum(row.unneeded for row in rows)
    lines.append(
        f"{'all':{width}}  {sum(row.entries for row in rows):7}  {total / MEGABYTE:8.1f}  {unneeded / MEGABYTE:8.1f}"
    )
    return "\n".join(lines)


def format_age(seconds: float) -> str:
    """Format a duration in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def show(*, as_json: bool) -> int:
    """Print the entries by kind."""
    listed = sum_kinds(list_entries(find_needed_entries()))
    report = {"folder": str(create_cache_dir()), "kinds": [asdict(one) for one in listed]}
    print(json.dumps(report, indent=1) if as_json else f"{format_summaries(listed)}\n{create_cache_dir()}")
    return DONE


def prune(*, dry_run: bool, as_json: bool) -> int:
    """Remove and print the entries that this commit does not need; FAILED while a build uses the cache.

    Idempotent. What a running local AWS serves from is kept, in whatever checkout it was started.
    """
    try:
        with exclusive():
            gone = [entry for entry in list_entries(find_needed_entries()) if not entry.needed]
            for entry in [] if dry_run else gone:
                collections.deque(remove_entry(create_cache_dir() / entry.kind / entry.name), maxlen=0)
    except BlockingIOError:
        print(IN_USE.format("a build"), file=sys.stderr)
        return FAILED
    if as_json:
        print(json.dumps({"dry_run": dry_run, "removed": [asdict(entry) for entry in gone]}, indent=1))
        return DONE
    for entry in gone:
        print(f"{entry.kind}/{entry.name}  {entry.size / MEGABYTE:.1f} MB")
    size = sum(entry.size for entry in gone) / MEGABYTE
    count = "1 entry" if len(gone) == 1 else f"{len(gone)} entries"
    print(f"{'would remove' if dry_run else 'removed'} {count}, {size:.1f} MB")
    for pid in list_local_aws_processes():
        print(f"kept all roots, sites and unpacked layers: the local AWS of process {pid} runs from them (make stop)")
    return DONE


def clear() -> int:
    """Remove the cache, with its folder unless that holds other files; FAILED while a process uses it.

    Only entries that builds write are removed. Progress and problems are printed on standard error.
    """
    folder, users, removed = create_cache_dir(), list_local_aws_processes(), 0
    try:
        if users:
            raise BlockingIOError
        with exclusive():
            total = measure_folder(folder)
            print(f"removing {total / MEGABYTE:.0f} MB from {folder}", file=sys.stderr, flush=True)
            with show_progress(total, lambda: removed):
                # The lock that is held lies in `locks`, so that goes last.
                for path in sorted(filter(is_ours, folder.iterdir()), key=lambda path: path.name == "locks"):
                    for size in remove_entry(path):
                        removed += size
    except BlockingIOError:
        who = f"the local AWS of process {users[0]} (make stop)" if users else "a build"
        print(IN_USE.format(who), file=sys.stderr)
        return FAILED
    if others := sorted(path.name for path in folder.iterdir()):
        print(f"kept {folder}, which also holds {', '.join(others)}", file=sys.stderr)
    else:
        folder.rmdir()
    return DONE


def remove_entry(path: Path) -> Iterator[int]:
    """Remove one entry while this is iterated; yields the size in bytes of each file after its removal.

    The entry is renamed first, so that a kill leaves no half of it under its name.
    """
    grave = path.with_name(f".gone-{os.getpid()}-{path.name}")
    path.rename(grave)
    if grave.is_symlink() or grave.is_file():
        size = grave.lstat().st_size
        grave.unlink()
        yield size
        return
    for folder, _, _ in os.walk(grave):
        Path(folder).chmod(0o700)
    for folder, folders, files in os.walk(grave, topdown=False):
        for name in files:
            size = (file := Path(folder, name)).lstat().st_size
            file.unlink()
            yield size
        for name in folders:
            path = Path(folder, name)
            path.unlink() if path.is_symlink() else path.rmdir()
    grave.rmdir()


@command("cache", InputProblem, BuildProblem, interrupted="whatever is left in the cache is complete")
def main(words: Sequence[str] | None = None) -> int:
    """Run one verb."""
    parser = argparse.ArgumentParser(
        prog="score-processor cache", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("clear")
    for name in ("show", "prune"):
        verbs.add_parser(name).add_argument("--json", action="store_true")
    verbs.choices["prune"].add_argument(
        "--dry-run", action="store_true", help="print what would be removed, and keep it"
    )
    arguments = parser.parse_args(words)
    if arguments.verb == "show":
        return show(as_json=arguments.json)
    if arguments.verb == "clear":
        return clear()
    return prune(dry_run=arguments.dry_run, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
