#!/usr/bin/env python3
"""Pinned inputs: fetch them by hash into the cache, and unpack them into roots.

    inputs.py fetch [GROUP...]   fill the cache
    inputs.py root NAME          a folder of unpacked Debian packages; prints its path

apt's and pip's own configuration say where files come from; DEBIAN_MIRROR does on a host without apt.
"""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import vault
from cache import cache_dir, locked
from pins import GROUPS, Deb, Input, InputProblem, Wheel, deb_lock, inputs_of, wheel_lock
from workspace import workspace

from environments import pip
from oci.archive import unpack_debs
from oci.nar import nar_hash

PLATFORMS = ("2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2014", "2_12", "2010", "2_5", "1")


def fetch(groups: Sequence[str] = ("image",)) -> None:
    """Fill the cache with the inputs of these groups; InputProblem names what cannot be had."""
    wanted = [one for group in groups for one in inputs_of(group)]
    lack = vault.missing(wanted)
    if not lack:
        return
    with locked("fetch"), workspace() as work:
        lack = vault.missing(lack)
        megabytes = sum(one.size for one in lack) / 1e6
        print(
            f"fetching {len(lack)} inputs, {megabytes:.0f} MB, by apt's and pip's mirrors", file=sys.stderr, flush=True
        )
        debs, wheels = [x for x in lack if isinstance(x, Deb)], [x for x in lack if isinstance(x, Wheel)]
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(fetch_wheels, wheels, work)] if wheels else []
            jobs += [pool.submit(fetch_deb, deb, mirrors(), work) for deb in debs]
            for job in jobs:
                job.result()
    lack = vault.missing(wanted)
    if lack:
        raise InputProblem(
            "cannot be had from apt, pip or DEBIAN_MIRROR as configured here: " + ", ".join(map(str, lack))
        )


def mirrors() -> list[str]:
    """The addresses before a pool path: apt's, or DEBIAN_MIRROR's."""
    given = os.environ.get("DEBIAN_MIRROR")
    if given:
        return [given.rstrip("/") + "/"]
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True)
    return sorted(set(told.stdout.split()))


def fetch_deb(deb: Deb, roots: Iterable[str], work: Path) -> None:
    """One package by its pool path."""
    path = work / deb.file_name
    for root in roots:
        try:
            with urllib.request.urlopen(root + deb.pool_path, timeout=60) as answer:  # noqa: S310 - a mirror that apt names
                path.write_bytes(answer.read())
        except OSError:
            continue
        if vault.mismatch(deb, path) is None:
            vault.take(path, deb)
            return


def fetch_wheels(wheels: Sequence[Wheel], work: Path) -> None:
    """All wheels by pip, which checks their hashes."""
    folder = vault.made(work / "wheels")
    listed = work / "requirements.txt"
    listed.write_text("".join(f"{w.name}=={w.version} --hash=sha256:{w.sha256}\n" for w in wheels))
    tags = [word for tag in PLATFORMS for word in ("--platform", f"manylinux{'_' if '_' in tag else ''}{tag}_x86_64")]
    abis = [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    subprocess.run(
        [
            *pip(),
            "download",
            "-qq",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-deps",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
            *abis,
            *tags,
            "-d",
            folder,
            "-r",
            listed,
        ],
        check=False,
    )
    by_digest = {wheel.sha256: wheel for wheel in wheels}
    for path in folder.iterdir():
        if wheel := by_digest.get(vault.sha256(path)):
            vault.take(path, wheel)


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
    with locked(f"root-{name}"), workspace() as work:
        if not done.exists():
            unpack_debs([vault.place(deb) for deb in debs], work / "tree" / "root")
            got = nar_hash(work / "tree" / "root")
            if got != lock.root:
                raise InputProblem(f"root {name}: expected NAR hash {lock.root}, got {got}")
            vault.made(done.parent.parent)
            (work / "tree").rename(done.parent)
    return done


def main(words: list[str]) -> int:
    """Run one verb; 0 done, 1 failed, 2 misused, 130 interrupted."""
    try:
        match words:
            case ["fetch", *names]:
                fetch(names or GROUPS)
            case ["root", name]:
                print(root(name))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (InputProblem, OSError) as problem:
        print(f"inputs: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("inputs: interrupted; what is fetched is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
