#!/usr/bin/env python3
"""Build the image again, as other machines and people would: one digest, or the layer, file and byte that differ.

    reproducible.py [--without-nix]

Each variant starts from the inputs in the cache and makes every layer anew. What cannot be varied here is said.
"""

import argparse
import contextlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import bundled_nix
import differences
import nix_build
import pins
import unread
import vault
from assembler import BuildProblem
from cache import cache_dir, in_use, locked
from differences import Layout
from revision import REPOSITORY, git, without_gits_own
from workspace import workspace

import build
from environments import EnvironmentProblem

CLOSED = "http://127.0.0.1:9/"
"""Nothing listens on the discard port: whoever asks the network fails at once."""
NOBODY = 65534
OFFLINE = {"PIP_INDEX_URL": CLOSED, "PIP_NO_INDEX": "1", "DEBIAN_MIRROR": CLOSED, "PIP_CONFIG_FILE": os.devnull}
ODD = {
    "TZ": "Pacific/Chatham",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "4711",
    "PYTHONOPTIMIZE": "2",
    "SOURCE_DATE_EPOCH": "1",
}
Tamper = Callable[[Path], None]


@dataclass(frozen=True)
class Variant:
    """Another machine: what is different there, in words; and how its build is started."""

    name: str
    differs: str
    environment: dict[str, str] = field(default_factory=dict)
    umask: int = 0o022
    cpus: int = 0
    uid: int | None = None
    reversed_files: bool = False
    file_time: int | None = None


VARIANTS = (
    Variant(
        "another machine",
        "time zone, locale, hash seed, umask 077, home, folder with a space, file order, file times of 2040, offline",
        {**ODD, **OFFLINE},
        umask=0o077,
        reversed_files=True,
        file_time=2_208_988_800,
    ),
    Variant(
        "another user",
        "uid 65534, one processor, file times of 1981, offline",
        OFFLINE,
        cpus=1,
        uid=NOBODY,
        file_time=347_155_200,
    ),
)


class NotReproducible(pins.InputProblem):
    """When a variant made another image; the message names layer, file and byte."""


def check(
    say: Callable[[str], None], *, with_nix: bool = True, tamper: Tamper | None = None, fresh: bool = True
) -> str:
    """Build under every variant and return the one digest; NotReproducible names the first that differs, and how.

    `tamper` changes a variant's sources before they are built, so that a test can see it fail; without `fresh` it may
    take the layers that are cached already.
    """
    expected = build.DEFAULT_OUTPUT
    digest = str(build.build(expected)["digest"])
    say(f"{'as it is':16} {digest}")
    with workspace() as work, tempfile.TemporaryDirectory(prefix="score-processor-") as open_to_all:
        Path(open_to_all).chmod(0o755)
        for variant in VARIANTS:
            if variant.uid is not None and (os.getuid() != 0 or python_of_all() is None):
                say(f"{variant.name:16} not tried: only root can build as another user, with a Python that he can run")
                continue
            began = time.monotonic()
            # The cache may lie in a home that is closed to other users.
            layout = built_by(variant, work if variant.uid is None else Path(open_to_all), tamper, fresh)
            compare(variant.name, expected, layout)
            say(f"{variant.name:16} {digest}   {variant.differs} ({time.monotonic() - began:.0f} s)")
        if with_nix:
            began = time.monotonic()
            compare("Nix", expected, by_nix(work))
            say(f"{'Nix':16} {digest}   a derivation for each layer ({time.monotonic() - began:.0f} s)")
    return digest


def compare(name: str, expected: Path, got: Path) -> None:
    """Raise NotReproducible unless both layouts hold the same image."""
    if Layout(expected).digest != Layout(got).digest:
        found = differences.image_differences(expected, got)
        raise NotReproducible(f"{name} made {Layout(got).digest}:\n{differences.summary(found)}")


def built_by(variant: Variant, work: Path, tamper: Tamper | None, fresh: bool) -> Path:
    """The layout that a variant builds, in a folder of its own, with the inputs and nothing that was made of them."""
    folder = work / variant.name
    source, layout = folder / "the source", folder / "image"
    cache_of(folder)
    if not fresh:
        (folder / "cache" / "layers").symlink_to(cache_dir() / "layers")
        (folder / "cache" / "roots").symlink_to(cache_dir() / "roots")
    copy_source(source, variant)
    if tamper:
        tamper(source)
    if variant.uid is not None:
        hand_over(folder, variant.uid)
    own = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "SCORE_PROCESSOR_CACHE": str(folder / "cache")}
    python = sys.executable if variant.uid is None else python_of_all() or sys.executable
    with processors(variant.cpus):
        done = subprocess.run(
            [python, str(source / "nix" / "build.py"), "--output", str(layout), "--json"],
            env={**own, **variant.environment},
            cwd="/",
            umask=variant.umask,
            user=variant.uid,
            group=variant.uid,
            extra_groups=None if variant.uid is None else [],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise NotReproducible(f"{variant.name} could not build:\n{done.stderr.strip()}")
    return layout


def python_of_all() -> str | None:
    """A Python of 3.11 or newer that other users can run too; None where there is none."""
    system = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    for found in filter(None, (sys.executable, system)):
        path = Path(found).resolve()
        if all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents)):
            told = subprocess.run([found, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
            if told.stdout.strip() == b"True":
                return found
    return None


@contextlib.contextmanager
def processors(count: int) -> Iterator[None]:
    """Let programs that are started here use so many processors; 0 is all."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, sorted(before)[:count] if count else before)
        yield
    finally:
        os.sched_setaffinity(0, before)


def cache_of(folder: Path) -> None:
    """A cache and a home with the inputs alone, each compared with the lock again where it is used."""
    inputs = folder / "cache" / "inputs"
    inputs.mkdir(parents=True)
    (folder / "home").mkdir()
    for one in pins.inputs_of("image"):
        with contextlib.suppress(OSError):
            os.link(vault.place(one), inputs / one.file_name)
            continue
        shutil.copyfile(vault.place(one), inputs / one.file_name)


def copy_source(target: Path, variant: Variant) -> None:
    """The work tree's tracked files as they are, in another order and with other times, as a repository of git's."""
    listed = git(REPOSITORY, "ls-files", "-z") or ""
    names = [name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]
    clone = ["git", "clone", "--quiet", "--shared", "--no-checkout", str(REPOSITORY), str(target)]
    subprocess.run(clone, check=True, env=without_gits_own())
    for name in sorted(names, reverse=variant.reversed_files):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target / name)
        if variant.file_time is not None:
            os.utime(target / name, (variant.file_time, variant.file_time))
    reset = ["git", "-C", str(target), "reset", "--quiet"]
    subprocess.run(reset, check=True, stdout=subprocess.DEVNULL, env=without_gits_own())


def hand_over(folder: Path, uid: int) -> None:
    """Give a folder and all in it to another user; an input that is linked into the cache is copied first."""
    for path in (folder / "cache" / "inputs").iterdir():
        copy = path.with_suffix(".copy")
        shutil.copyfile(path, copy)
        copy.replace(path)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def by_nix(work: Path) -> Path:
    """The layout that Nix builds: the host's where there is one, else the project's own."""
    nix = bundled_nix.host() or bundled_nix.bundled()
    with locked("nix"):
        nix_build.add_inputs(nix)
        nix_build.build(nix, work / "nix-image")
    return work / "nix-image"


def main(words: Sequence[str] | None = None) -> int:
    """Command line: 0 one digest, 1 not, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-nix", action="store_true", help="leave the build with Nix out")
    options = parser.parse_args(words)
    try:
        with in_use():
            digest = check(lambda line: print(line, flush=True), with_nix=not options.without_nix)
    except (pins.InputProblem, BuildProblem, EnvironmentProblem) as problem:
        print(f"reproducible: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("reproducible: interrupted", file=sys.stderr)
        return 130
    print(f"reproducible: one digest, {digest}\nnot varied here: the clock itself, the kernel, the processor's kind")
    return 0


if __name__ == "__main__":
    unread.allow()
    sys.exit(main())
