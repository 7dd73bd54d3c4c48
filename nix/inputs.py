#!/usr/bin/env python3
"""Pinned inputs: fetch them by hash into the cache, and unpack them into roots.

    python3 -m nix.inputs fetch [--from PATH]... [GROUP...]   fill the cache
    python3 -m nix.inputs root NAME                           unpack the Debian packages of a group; prints the folder

PATH is a folder or a tar file that holds inputs. docs/reference/inputs.md lists the sources in their order.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from nix.cache import input_cache, sealed
from nix.cache.folder import create_cache_dir, hold_lock, in_use, is_read_only
from nix.cache.workspace import workspace
from nix.command import DONE, command
from nix.input_archive.local import list_named_places
from nix.oci.debian_package import unpack_debs
from nix.oci.exceptions import OciError
from nix.oci.nar import nar_hash
from nix.pins import DEBS, GROUPS, Input, InputProblem, Wheel, list_inputs, read_deb_lock, read_wheel_lock


def fetch(groups: Sequence[str] = ("image",), folders: Sequence[Path] = ()) -> None:
    """Fetch the inputs of some groups into the cache. `folders`: folders and tar files to look in first.

    InputProblem lists all inputs that no source has, with the reasons and the remedy; then nothing was downloaded.
    """
    fetch_these([one for group in groups for one in list_inputs(group)], folders)


def fetch_these(wanted: Sequence[Input], folders: Sequence[Path] = ()) -> None:
    """Fetch these inputs into the cache; as `fetch`.

    Idempotent. Processes take turns: a second one finds what the first has fetched. `folders` and ARCHIVE come before
    the network.
    """
    folders = [*folders, *list_named_places()]
    missing = input_cache.list_missing(wanted)
    if not missing:
        return
    if is_read_only():
        raise InputProblem(
            f"cache {create_cache_dir()}: read-only, and {len(missing)} of {len(wanted)} inputs are missing\n"
            "next: export SCORE_PROCESSOR_CACHE=FOLDER, one that you can write to"
        )
    from nix.fetching.fetch import fill  # here, because its imports take a third of the start of a fully cached build

    with in_use(), hold_lock("fetch"):
        missing = input_cache.list_missing(missing)
        if missing:
            fill(missing, folders)


def fetch_wheels() -> dict[str, list[Wheel]]:
    """Fetch the image's inputs, and return its wheels by layer, in the lock's order. Raises InputProblem as `fetch`."""
    fetch(["image"])
    layers: dict[str, list[Wheel]] = {}
    for wheel in read_wheel_lock():
        layers.setdefault(wheel.layer, []).append(wheel)
    return layers


def find_root(name: str) -> Path:
    """Return the folder of a group's unpacked Debian packages, fetched and unpacked if it is missing or altered.

    InputProblem if an input is missing, or the unpacked tree has another NAR hash than the lock.
    """
    if name not in DEBS:
        raise InputProblem(f"root {name!r}: unknown, known: {', '.join(DEBS)}")
    lock = read_deb_lock(name)
    folder = locate_root(name, lock.root)
    if sealed.verify(folder, lock.root, list_ignored_names(name)):
        return folder
    if is_read_only():
        raise InputProblem(
            f"cache {create_cache_dir()}: read-only, and root {name} is {'altered' if folder.exists() else 'missing'}\n"
            "next: export SCORE_PROCESSOR_CACHE=FOLDER, one that you can write to"
        )
    debs: list[Input] = list(lock.debs)
    fetch([name])
    with in_use(), hold_lock(f"root-{name}"), workspace() as work:
        if not sealed.verify(folder, lock.root, list_ignored_names(name)):
            if folder.parent.exists():
                input_cache.report(f"roots/{folder.parent.name}: altered since it was unpacked; unpacking it again")
                folder.parent.rename(work / "altered")
            tree = work / "tree" / "root"
            _unpack_root(name, debs, lock.root, tree)
            input_cache.ensure_folder(folder.parent.parent)
            tree.parent.rename(folder.parent)
    return folder


def _unpack_root(name: str, debs: Sequence[Input], expected: str, tree: Path) -> None:
    """Unpack a group's packages into the new folder `tree`, and seal it; InputProblem unless it has this NAR hash."""
    try:
        unpack_debs([input_cache.locate_input(deb) for deb in debs], tree)
        mark = sealed.compute_fingerprint(tree, list_ignored_names(name))
        got = nar_hash(tree)
    except (OciError, OSError) as problem:
        _check_unaltered(name, debs)
        if isinstance(problem, OSError):
            problem.filename = problem.filename or str(create_cache_dir())
            raise
        raise InputProblem(f"root {name}: {problem}") from problem
    if got != expected:
        _check_unaltered(name, debs)
        raise InputProblem(f"root {name}: got NAR hash {got}, expected {expected}")
    sealed.seal(tree, mark, got)


def _check_unaltered(name: str, debs: Sequence[Input]) -> None:
    """Raise Altered if a package that the cache had before is not there as pinned any more."""
    if input_cache.list_missing(debs):
        raise sealed.Altered(f"root {name}: a package in the cache was altered while it was unpacked")


def locate_root(name: str, tree_hash: str) -> Path:
    """Return the folder of a group's unpacked packages, unpacked or not."""
    return create_cache_dir() / "roots" / f"{name}-{tree_hash[:16]}" / "root"


def list_ignored_names(name: str) -> frozenset[str]:
    """Return the names of entries that do not count as part of a root: bytecode, which its own Python may write there.

    The image's root has none, because the assembler runs its Python with the bytecode elsewhere.
    """
    return frozenset() if name == "image" else frozenset({"__pycache__"})


@command("inputs", InputProblem, interrupted="fetched inputs are kept")
def main(words: Sequence[str] | None = None) -> int:
    """Run one verb."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    fetching = verbs.add_parser("fetch", help="fill the cache")
    fetching.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    fetching.add_argument("--from", dest="folders", type=Path, action="append", default=[], metavar="PATH")
    rooting = verbs.add_parser("root", help="print the folder of a group's unpacked packages")
    rooting.add_argument("name", metavar="NAME")
    options = parser.parse_args(words)
    if options.verb == "root":
        print(find_root(options.name))
    else:
        fetch(options.groups or GROUPS, options.folders)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
