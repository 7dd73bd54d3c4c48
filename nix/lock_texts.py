"""The texts of the locks of roots and of the image's wheels, made anew. What does not move keeps its line."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pins
import sources
import vault
from debian_closure import Candidate, closure, wanted
from debian_lists import release_candidates
from moves import Pin, requirements_of
from pins import Deb, DebLock, InputProblem, Wheel
from tools import Tools, tools
from workspace import workspace

import inputs
from oci.archive import unpack_debs
from oci.nar import nar_hash

DEB_HEADER = "# name version size sha256 pool-path; root: NAR hash of the unpacked tree"
OWN_LAYER = 1 << 20  # bytes from which a wheel has a layer of its own; the others share one
SHARED = "small"
AT_ONCE = 4


def deb_text(group: str, upgrade: frozenset[str] | None) -> str:
    """The lock of a root: all of it moved, or only the packages made from the same sources as those in `upgrade`."""
    want, old = wanted(pins.LOCKS / f"{pins.DEBS[group]}.in"), pins.deb_lock(group)
    debs = chosen(closure(want, release_candidates(want.release)), old, upgrade)
    root = old.root if debs == old.debs else root_of(debs)
    return "\n".join([DEB_HEADER, *map(deb_line, debs), f"root {root}", ""])


def chosen(found: Sequence[Candidate], old: DebLock, upgrade: frozenset[str] | None) -> tuple[Deb, ...]:
    """For each package of a closure the release's version, or the pinned one where it is not to move."""
    if upgrade is None:
        return tuple(one.deb for one in found)
    moving = {one.source.split()[0] for one in found if one.deb.name in upgrade}
    pinned = {deb.name: deb for deb in old.debs}
    return tuple(one.deb if one.source.split()[0] in moving else pinned.get(one.deb.name, one.deb) for one in found)


def deb_line(deb: Deb) -> str:
    """A package as its lock has it."""
    return f"{deb.name} {deb.version} {deb.size} {deb.sha256} {deb.pool_path}"


def root_of(debs: Sequence[Deb]) -> str:
    """The NAR hash of the tree that packages unpack to; they are fetched for that."""
    inputs.fetch_these(debs)
    with workspace() as work:
        unpack_debs([vault.place(deb) for deb in debs], work / "root")
        return nar_hash(work / "root")


def wheel_text(resolved: str) -> str:
    """The lock of the image's wheels from what uv resolved: of each version's files the one that pip picks."""
    old = {wheel.name: wheel for wheel in pins.wheel_lock()}
    kept, moved = dict[str, Wheel](), list[Pin]()
    for pin in requirements_of(resolved).values():
        had = old.get(pin.name)
        if had and had.version == pin.version and had.sha256 in pin.rest:
            kept[pin.name] = had
        else:
            moved.append(pin)
    kept |= {wheel.name: wheel for wheel in picked(moved)} if moved else {}
    return "".join(f"{wheel_line(kept[name])}\n" for name in sorted(kept, key=str.encode))


def wheel_line(wheel: Wheel) -> str:
    """A wheel as its lock has it."""
    return f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}  # {wheel.size} {wheel.layer}"


def picked(moved: Sequence[Pin]) -> list[Wheel]:
    """Fetch the wheels of these versions that fit the image, into the cache."""
    with workspace() as work, tools() as running, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            jobs = [pool.submit(pick, pin, work / pin.name, running) for pin in moved]
            return [job.result() for job in jobs]
        except BaseException:
            running.stop()  # or the pool would wait for them
            raise


def pick(pin: Pin, folder: Path, running: Tools) -> Wheel:
    """The wheel of one version that pip picks for the image."""
    pinned = " ".join([f"{pin.name}=={pin.version}", *(f"--hash=sha256:{sha256}" for sha256 in pin.rest)])
    found, said = sources.download([pinned], folder, running)
    if len(found) != 1:
        raise InputProblem(
            f"{pin.name} {pin.version}: pip found no wheel for the image: {said}\n"
            "next: try again later (a version published this minute may not be everywhere yet), or name in "
            "image-wheels.in the versions to keep to"
        )
    size = found[0].stat().st_size
    layer = re.sub(r"[^a-z0-9-]", "-", pin.name) if size >= OWN_LAYER else SHARED
    wheel = Wheel(pin.name, pin.version, size, vault.sha256(found[0]), layer)
    vault.take_checked(found[0], wheel)
    return wheel
