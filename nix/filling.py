"""Fills the cache: goes through the sources of inputs, in their order, with what is missing."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import meter
import sources
import vault
from cache import cache_dir
from pins import Deb, Input, InputProblem, Wheel
from registry_archive import from_registry, named_repository
from tools import Tools, tools
from workspace import leftovers, workspace


def fill(lack: list[Input], folders: Sequence[Path]) -> None:
    """Go through the sources with what the cache lacks; InputProblem names all that none of them has, and the ways."""
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
