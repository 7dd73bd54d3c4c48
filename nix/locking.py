#!/usr/bin/env python3
"""Move the pins: resolve every nix/locks/*.in again, and print what moved.

    python3 -m nix.locking [--lock NAME]... [PACKAGE]...  all pins, or those of some locks, or of some packages
    python3 -m nix.locking --keep [--lock NAME]...        only what an edited .in asks for; all other pins stay
    python3 -m nix.locking --dry-run …                    print the table, without the layers, and change nothing

layers.lock follows the locks that the image's layers are made of; --lock layers renews it after the assembler changed.

Needs apt, a mirror of Debian and a package index. All locks are resolved before the first is replaced: a failure
changes none. A lock in which no pin moves keeps its bytes.
"""

import argparse
import difflib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from nix import build, pins
from nix.assembly.assembler import BuildProblem
from nix.cache.folder import hold_lock, in_use
from nix.cache.input_cache import write_text
from nix.cache.workspace import workspace
from nix.clients.package_clients import EnvironmentProblem
from nix.command import DONE, command
from nix.pins import InputProblem
from nix.resolution.lock_diff import LAYERS, Move, format_moves, list_moves, parse_pins
from nix.resolution.lock_texts import resolve_debs, resolve_wheels
from nix.resolution.resolving import RESOLUTIONS, resolve

GROUP_OF = {lock: group for group, lock in pins.DEBS.items()}
LOCKS = (*GROUP_OF, *RESOLUTIONS, LAYERS)
IMAGE = frozenset({"image-debs", "image-wheels"})


def lock(names: Sequence[str], packages: Sequence[str], *, keep: bool = False, dry_run: bool = False) -> list[Move]:
    """Resolve these locks, replace them unless it is a dry run, and return what moved.

    InputProblem, EnvironmentProblem or BuildProblem if one cannot be resolved; then none is changed.
    """
    names = [name for name in LOCKS if name in (names or LOCKS)]
    if packages:
        names = find_locks_with(names, packages)
    with in_use(), hold_lock("lock"), workspace() as work:
        for path in pins.LOCKS.iterdir():
            shutil.copyfile(path, work / path.name)
        changes = []
        for name in names:
            if name == LAYERS:
                continue
            print(f"resolving {name}", file=sys.stderr, flush=True)
            new = resolve_lock(name, work, packages, keep)
            if moved := list_moves(name, read_lock(name), new):
                changes += moved
                (work / f"{name}.lock").write_text(new, encoding="utf-8")
        if not dry_run:
            changes += replace(changes, work, layers=LAYERS in names)
    return changes


def read_lock(name: str) -> str:
    """Return the present text of a lock."""
    return (pins.LOCKS / f"{name}.lock").read_text(encoding="utf-8")


def replace(found: Sequence[Move], work: Path, *, layers: bool) -> list[Move]:
    """Replace the moved locks by those in `work`, rebuild the image's layers, and return the layers that move.

    All locks are restored if the layers cannot be built.
    """
    moved = sorted({move.lock for move in found})
    old = {name: read_lock(name) for name in moved}
    try:
        for name in moved:
            write_text(pins.LOCKS / f"{name}.lock", (work / f"{name}.lock").read_text(encoding="utf-8"))
        if not layers and not IMAGE.intersection(moved):
            return []
        before = read_lock(LAYERS)
        build.lock_layers(lambda line: print(line, file=sys.stderr, flush=True))
        return list_moves(LAYERS, before, read_lock(LAYERS))
    except BaseException:
        for name, content in old.items():
            write_text(pins.LOCKS / f"{name}.lock", content)
        raise


def resolve_lock(name: str, work: Path, packages: Sequence[str], keep: bool) -> str:
    """Resolve one lock and return its text; `work` holds the other locks, those before it renewed."""
    some = bool(packages) or keep
    if name in GROUP_OF:
        return resolve_debs(GROUP_OF[name], frozenset(packages) if some else None)
    upgrade = [word for package in packages for word in ("--upgrade-package", package)] if some else ["--upgrade"]
    resolved = resolve(name, work, tuple(upgrade))
    return resolve_wheels(resolved) if name in pins.WHEELS.values() else resolved


def find_locks_with(names: Sequence[str], packages: Sequence[str]) -> list[str]:
    """List the locks that pin any of the packages; InputProblem lists packages that none pins, with similar names."""
    held = {name: {key[0].partition("[")[0] for key in parse_pins(read_lock(name))} for name in names if name != LAYERS}
    known = set().union(*held.values())
    unknown = [package for package in packages if package not in known]
    if unknown:
        like = {package: difflib.get_close_matches(package, known) for package in unknown}
        listed = "".join(
            f"\n  {name}" + (f" (similar: {', '.join(near)})" if near else "") for name, near in like.items()
        )
        raise InputProblem(
            f"no lock pins these packages:{listed}\nnext: name pinned packages, or add new ones to a .in and use KEEP=1"
        )
    return [name for name in held if held[name].intersection(packages)]


def choose_next_step(moves: Sequence[Move]) -> str:
    """Return the next step after pins have moved."""
    locks = {move.lock for move in moves}
    if locks & {*IMAGE, LAYERS}:
        return "the image's digest moves with its inputs\nnext: make build test, then commit nix/locks"
    return "next: make test, then commit nix/locks"


@command(
    "lock",
    InputProblem,
    EnvironmentProblem,
    BuildProblem,
    interrupted="run it again",
    failed="no lock was changed",
)
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="score-processor lock", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("--lock", action="append", default=[], choices=LOCKS, metavar="NAME", help=", ".join(LOCKS))
    parser.add_argument("--keep", action="store_true", help="move only the pins that the .in requires to move")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args(words)
    moves = lock(options.lock, options.packages, keep=options.keep, dry_run=options.dry_run)
    if not moves:
        print("nothing moves: every pin is up to date")
        return DONE
    print(format_moves(moves))
    print("dry run: no lock was changed" if options.dry_run else choose_next_step(moves))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
