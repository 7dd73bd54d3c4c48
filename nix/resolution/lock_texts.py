"""Write the locks of roots and of the image's wheels. A pin that does not move keeps its line."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nix import inputs, pins
from nix.cache import input_cache
from nix.cache.workspace import workspace
from nix.clients.subprocesses import Subprocesses, subprocesses
from nix.debian.closure import Candidate, compute_closure, read_wanted
from nix.debian.lists import release_candidates
from nix.fetching import pip_wheels
from nix.oci.debian_package import unpack_debs
from nix.oci.nar import nar_hash
from nix.pins import Deb, DebLock, InputProblem, Wheel
from nix.resolution.lock_diff import Pin, parse_requirements

DEB_HEADER = (
    "# name version size sha256 pool-path; snapshot: when Debian's archive had these files, for its snapshot archive; "
    "root: NAR hash of the unpacked tree"
)
# Asked by timestamp, the snapshot archive answers with the last snapshot before it; it takes one every six hours. A
# superseded package stays on the mirrors for a day, so the snapshot half a day after a lock is made has all packages.
SNAPSHOT_DELAY = timedelta(hours=12)
OWN_LAYER = 1 << 20  # a wheel of this many bytes or more has a layer of its own; the others share one
SHARED = "small"
AT_ONCE = 4


def resolve_debs(group: str, upgrade: frozenset[str] | None) -> str:
    """Return the new lock of a root.

    All packages move, or only those made from the same sources as the packages in `upgrade`: then the lock keeps the
    earlier timestamps for the others.
    """
    want, old = read_wanted(pins.LOCKS / f"{pins.DEBS[group]}.in"), pins.read_deb_lock(group)
    debs = choose_versions(compute_closure(want, release_candidates(want.release)), old, upgrade)
    if debs == old.debs:
        return format_deb_lock(debs, old.snapshots, old.root)
    now = (datetime.now(UTC) + SNAPSHOT_DELAY).strftime("%Y%m%dT%H%M%SZ")
    return format_deb_lock(debs, (now, *(old.snapshots if upgrade is not None else ())), hash_root(debs))


def format_deb_lock(debs: Sequence[Deb], snapshots: Sequence[str], root: str) -> str:
    """Format the lock of a root."""
    listed = [f"snapshot {timestamp}" for timestamp in snapshots]
    return "\n".join([DEB_HEADER, *map(format_deb, debs), *listed, f"root {root}", ""])


def choose_versions(candidates: Sequence[Candidate], old: DebLock, upgrade: frozenset[str] | None) -> tuple[Deb, ...]:
    """Choose, for each package of a closure, the release's version, or the pinned one if it is not to move.

    None moves every package. A source's binary packages move together, since they depend on each other's exact
    versions; a package that the lock does not have yet is new, and gets the release's version.
    """
    if upgrade is None:
        return tuple(one.deb for one in candidates)
    moving = {one.source.split()[0] for one in candidates if one.deb.name in upgrade}
    pinned = {deb.name: deb for deb in old.debs}
    return tuple(
        one.deb if one.source.split()[0] in moving else pinned.get(one.deb.name, one.deb) for one in candidates
    )


def format_deb(deb: Deb) -> str:
    """Format a package's line."""
    return f"{deb.name} {deb.version} {deb.size} {deb.sha256} {deb.pool_path}"


def hash_root(debs: Sequence[Deb]) -> str:
    """Fetch packages, unpack them, and return the NAR hash of the tree."""
    inputs.fetch_these(debs)
    with workspace() as work:
        unpack_debs([input_cache.locate_input(deb) for deb in debs], work / "root")
        return nar_hash(work / "root")


def resolve_wheels(resolved: str) -> str:
    """Return the lock of the image's wheels for uv's resolution: for each version, the file that pip picks.

    Sorted by name as bytes. A wheel that uv still resolves to keeps its file, although pip would now pick another one.
    """
    old = {wheel.name: wheel for wheel in pins.read_wheel_lock()}
    kept, moved = dict[str, Wheel](), list[Pin]()
    for pin in parse_requirements(resolved).values():
        before = old.get(pin.name)
        if before and before.version == pin.version and before.sha256 in pin.rest:
            kept[pin.name] = before
        else:
            moved.append(pin)
    kept |= {wheel.name: wheel for wheel in pick_all(moved)} if moved else {}
    return "".join(f"{format_wheel(kept[name])}\n" for name in sorted(kept, key=str.encode))


def format_wheel(wheel: Wheel) -> str:
    """Format a wheel's line."""
    return f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}  # {wheel.size} {wheel.layer}"


def pick_all(moved: Sequence[Pin]) -> list[Wheel]:
    """Fetch the wheels of these versions that fit the image into the cache.

    AT_ONCE at a time, returned in the order of `moved`. The first failure stops the other programs.
    """
    with workspace() as work, subprocesses() as running, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            jobs = [pool.submit(pick, pin, work / pin.name, running) for pin in moved]
            return [job.result() for job in jobs]
        except BaseException:
            running.stop()  # or the pool would wait for them
            raise


def pick(pin: Pin, folder: Path, running: Subprocesses) -> Wheel:
    """Fetch the wheel of one version that pip picks for the image; InputProblem if there is none.

    A wheel of at least OWN_LAYER bytes gets a layer of its own name. The size is read from the file, since uv's
    resolution has none.
    """
    pinned = " ".join([f"{pin.name}=={pin.version}", *(f"--hash=sha256:{sha256}" for sha256 in pin.rest)])
    wheels, reason = pip_wheels.download([pinned], folder, running)
    if len(wheels) != 1:
        raise InputProblem(
            f"{pin.name} {pin.version}: pip found no wheel for the image: {reason}\n"
            "next: try again later (a version published this minute may not be on every mirror yet), or limit the "
            "version in image-wheels.in"
        )
    size = wheels[0].stat().st_size
    layer = re.sub(r"[^a-z0-9-]", "-", pin.name) if size >= OWN_LAYER else SHARED
    wheel = Wheel(pin.name, pin.version, size, input_cache.hash_file(wheels[0]), layer)
    input_cache.store_if_valid(wheels[0], wheel)
    return wheel
