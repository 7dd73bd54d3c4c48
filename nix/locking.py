#!/usr/bin/env python3
"""Move the pins: resolve every nix/locks/*.in again, and print what moved.

    locking.py [--lock NAME]... [PACKAGE]...     all pins of all locks, or of the named locks, or of the named packages
    locking.py --keep [--lock NAME]...           only what an edited .in asks for; all other pins stay
    locking.py --dry-run …                       print the table (less the layers), change nothing

The image's layers follow the pins that they are made of: layers.lock moves with them, or by --lock layers when what
makes them changed.

Needs apt with Debian's mirrors configured, and pip's index. All locks are made before the first is replaced: a failure
changes none. A lock in which nothing moves keeps its bytes.
"""

import argparse
import difflib
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pins
import unread
from assembler import BuildProblem
from cache import in_use, locked
from lock_texts import deb_text, wheel_text
from moves import LAYERS, Move, moves, pins_of, table
from pins import InputProblem
from resolving import RESOLUTIONS, resolve
from vault import write
from workspace import workspace

import build
from environments import EnvironmentProblem
from inputs import told

GROUP_OF = {lock: group for group, lock in pins.DEBS.items()}
LOCKS = (*GROUP_OF, *RESOLUTIONS, LAYERS)
IMAGE = frozenset({"image-debs", "image-wheels"})
DONE, FAILED, INTERRUPTED = 0, 1, 130


def lock(names: Sequence[str], packages: Sequence[str], *, keep: bool = False, dry_run: bool = False) -> list[Move]:
    """Make these locks anew, and put them in place unless it is a dry run; returns what moved.

    InputProblem, EnvironmentProblem or BuildProblem when one cannot be made: then none is changed.
    """
    names = [name for name in LOCKS if name in (names or LOCKS)]
    if packages:
        names = holding(names, packages)
    with in_use(), locked("lock"), workspace() as work:
        for path in pins.LOCKS.iterdir():
            shutil.copyfile(path, work / path.name)
        found = []
        for name in names:
            if name == LAYERS:
                continue
            print(f"resolving {name}", file=sys.stderr, flush=True)
            new = text_of(name, work, packages, keep)
            if moved := moves(name, text(name), new):
                found += moved
                (work / f"{name}.lock").write_text(new, encoding="utf-8")
        if not dry_run:
            found += put(found, work, layers=LAYERS in names)
    return found


def text(name: str) -> str:
    """A lock as it is."""
    return (pins.LOCKS / f"{name}.lock").read_text(encoding="utf-8")


def put(found: Sequence[Move], work: Path, *, layers: bool) -> list[Move]:
    """Put the moved locks of `work` in place, make the image's layers of them, and return what moves with that.

    All is put back when the layers cannot be made.
    """
    moved = sorted({move.lock for move in found})
    old = {name: text(name) for name in moved}
    try:
        for name in moved:
            write(pins.LOCKS / f"{name}.lock", (work / f"{name}.lock").read_text(encoding="utf-8"))
        if not layers and not IMAGE.intersection(moved):
            return []
        before = text(LAYERS)
        build.lock_layers(lambda line: print(line, file=sys.stderr, flush=True))
        return moves(LAYERS, before, text(LAYERS))
    except BaseException:
        for name, content in old.items():
            write(pins.LOCKS / f"{name}.lock", content)
        raise


def text_of(name: str, work: Path, packages: Sequence[str], keep: bool) -> str:
    """The new text of one lock; `work` holds the others, those before it new."""
    some = bool(packages) or keep
    if name in GROUP_OF:
        return deb_text(GROUP_OF[name], frozenset(packages) if some else None)
    upgrade = [word for package in packages for word in ("--upgrade-package", package)] if some else ["--upgrade"]
    resolved = resolve(name, work, tuple(upgrade))
    return wheel_text(resolved) if name in pins.WHEELS.values() else resolved


def holding(names: Sequence[str], packages: Sequence[str]) -> list[str]:
    """Which of these locks pin the packages; InputProblem names each package that none pins, and those like it."""
    held = {name: {key[0].partition("[")[0] for key in pins_of(text(name))} for name in names if name != LAYERS}
    known = set().union(*held.values())
    unknown = [package for package in packages if package not in known]
    if unknown:
        like = {package: difflib.get_close_matches(package, known) for package in unknown}
        listed = "".join(
            f"\n  {name}" + (f" (like it: {', '.join(near)})" if near else "") for name, near in like.items()
        )
        raise InputProblem(f"no lock pins:{listed}\nnext: name a pinned package, or put it into a .in and use --keep")
    return [name for name in held if held[name].intersection(packages)]


def after(found: Sequence[Move]) -> str:
    """What to do with moved pins."""
    locks = {move.lock for move in found}
    if locks & {*IMAGE, LAYERS}:
        return "the image's digest moves with its inputs\nnext: make build test, then commit nix/locks"
    return "next: make test, then commit nix/locks"


def main(words: Sequence[str] | None = None) -> int:
    """0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", metavar="PACKAGE")
    parser.add_argument("--lock", action="append", default=[], choices=LOCKS, metavar="NAME", help=", ".join(LOCKS))
    parser.add_argument("--keep", action="store_true", help="move nothing that the .in does not ask for")
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    try:
        found = lock(options.lock, options.packages, keep=options.keep, dry_run=options.dry_run)
    except (InputProblem, EnvironmentProblem, BuildProblem) as problem:
        print(f"lock: {problem}\nno lock was changed", file=sys.stderr)
        return FAILED
    except OSError as problem:
        print(f"lock: {told(problem)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("lock: interrupted; run it again", file=sys.stderr)
        return INTERRUPTED
    if not found:
        print("nothing moves: every pin is what it would be now")
        return DONE
    print(table(found))
    print("a dry run: no lock was changed" if options.dry_run else after(found))
    return DONE


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
