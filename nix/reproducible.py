#!/usr/bin/env python3
"""Build the image again as other machines and users would: one digest, or the layer, file and byte that differ.

    python3 -m nix.reproducible [--without-nix]

Each variant starts from the cached inputs and makes every layer again. Variants that are not possible here are listed.
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

from nix import build, bundled_nix, nix_build, pins
from nix.assembly import differences
from nix.assembly.assembler import BuildProblem
from nix.assembly.differences import ImageLayout
from nix.cache import input_cache
from nix.cache.folder import create_cache_dir, hold_lock, in_use
from nix.cache.workspace import workspace
from nix.clients.package_clients import EnvironmentProblem
from nix.command import DONE, command
from nix.revision import REPOSITORY, create_git_environment, read_checkout

CLOSED = "http://127.0.0.1:9/"
"""The discard port, where nothing listens: any use of the network fails at once."""
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
    """A build in another environment; `differs` describes it, the other fields make it so."""

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
        "time zone, locale, hash seed, umask 077, home, folder with a space, file order, file times in 2040, offline",
        {**ODD, **OFFLINE},
        umask=0o077,
        reversed_files=True,
        file_time=2_208_988_800,
    ),
    Variant(
        "another user",
        "uid 65534, one processor, file times in 1981, offline",
        OFFLINE,
        cpus=1,
        uid=NOBODY,
        file_time=347_155_200,
    ),
)


class NotReproducible(pins.InputProblem):
    """Raised if a variant made another image; the message has layer, file and byte."""


def check(
    say: Callable[[str], None], *, with_nix: bool = True, tamper: Tamper | None = None, fresh: bool = True
) -> str:
    """Build every variant and return the digest of all; raises NotReproducible at the first that differs.

    `tamper` changes a variant's sources before the build, so that a test can see it fail. With `fresh` False, variants
    use the cached layers.
    """
    expected = build.DEFAULT_OUTPUT
    digest = str(build.build(expected)["digest"])
    say(f"{'this machine':16} {digest}")
    with workspace() as work, tempfile.TemporaryDirectory(prefix="score-processor-") as shared:
        Path(shared).chmod(0o755)
        for variant in VARIANTS:
            if variant.uid is not None and (os.getuid() != 0 or find_shared_python() is None):
                say(f"{variant.name:16} skip: needs root, and a Python that other users can run")
                continue
            began = time.monotonic()
            # The cache may be in a home directory that other users cannot enter.
            layout = build_variant(variant, work if variant.uid is None else Path(shared), tamper, fresh)
            compare(variant.name, expected, layout)
            say(f"{variant.name:16} {digest}   {variant.differs} ({time.monotonic() - began:.0f} s)")
        if with_nix:
            began = time.monotonic()
            compare("Nix", expected, build_with_nix(work))
            say(f"{'Nix':16} {digest}   a derivation for each layer ({time.monotonic() - began:.0f} s)")
    return digest


def compare(name: str, expected: Path, got: Path) -> None:
    """Raise NotReproducible, with the differences, unless both layouts have the same image."""
    if ImageLayout(expected).digest != ImageLayout(got).digest:
        differing = differences.compare_images(expected, got)
        raise NotReproducible(f"{name} made {ImageLayout(got).digest}:\n{differences.render_differences(differing)}")


def build_variant(variant: Variant, work: Path, tamper: Tamper | None, fresh: bool) -> Path:
    """Build a variant in a folder and with a cache of its own, which has the inputs only; return the layout.

    `fresh` makes everything again; otherwise layers and roots of this cache are used. `tamper` changes the copied
    source before the build, to see that a difference is found.

    NotReproducible, with the build's own message, if it fails.
    """
    folder = work / variant.name
    source, layout = folder / "the source", folder / "image"
    create_cache(folder)
    if not fresh:
        (folder / "cache" / "layers").symlink_to(create_cache_dir() / "layers")
        (folder / "cache" / "roots").symlink_to(create_cache_dir() / "roots")
    copy_source(source, variant)
    if tamper:
        tamper(source)
    if variant.uid is not None:
        hand_over(folder, variant.uid)
    own = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "SCORE_PROCESSOR_CACHE": str(folder / "cache")}
    python = sys.executable if variant.uid is None else find_shared_python() or sys.executable
    with processors(variant.cpus):
        done = subprocess.run(
            [python, "-m", "nix.build", "--output", str(layout), "--json"],
            env={**own, **variant.environment},
            cwd=source,
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


def find_shared_python() -> str | None:
    """Return a Python 3.11 or newer that other users can run; None if there is none.

    Every folder above it must be searchable by all: one below a home folder often is not.
    """
    system = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    for candidate in filter(None, (sys.executable, system)):
        path = Path(candidate).resolve()
        if all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents)):
            done = subprocess.run([candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
            if done.returncode == 0:
                return candidate
    return None


@contextlib.contextmanager
def processors(count: int) -> Iterator[None]:
    """Limit programs started in this block to `count` processors; 0 sets no limit."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, sorted(before)[:count] if count else before)
        yield
    finally:
        os.sched_setaffinity(0, before)


def create_cache(folder: Path) -> None:
    """Create a cache with the inputs only, and a home; without `verified`, the build hashes every input again.

    Inputs are linked where the file system allows it, otherwise copied.
    """
    inputs = folder / "cache" / "inputs"
    inputs.mkdir(parents=True)
    (folder / "home").mkdir()
    for input_ in pins.list_inputs("image"):
        with contextlib.suppress(OSError):
            os.link(input_cache.locate_input(input_), inputs / input_.file_name)
            continue
        shutil.copyfile(input_cache.locate_input(input_), inputs / input_.file_name)


def copy_source(target: Path, variant: Variant) -> None:
    """Clone the repository into `target`, with the files that a build reads, in the variant's order and times."""
    clone = ["git", "clone", "--quiet", "--shared", "--no-checkout", str(REPOSITORY), str(target)]
    subprocess.run(clone, check=True, env=create_git_environment())
    source = read_checkout(())
    source.write(target, backwards=variant.reversed_files)
    if variant.file_time is not None:
        for name in source.files:
            os.utime(target / name, (variant.file_time, variant.file_time), follow_symlinks=False)
    reset = ["git", "-C", str(target), "reset", "--quiet"]
    subprocess.run(reset, check=True, stdout=subprocess.DEVNULL, env=create_git_environment())


def hand_over(folder: Path, uid: int) -> None:
    """Change the owner of a folder and its contents; inputs are hard links into the cache and are copied first."""
    for path in (folder / "cache" / "inputs").iterdir():
        copy = path.with_suffix(".copy")
        shutil.copyfile(path, copy)
        copy.replace(path)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)


def build_with_nix(work: Path) -> Path:
    """Build with the host's Nix, or the project's own if there is none; return the layout."""
    nix = bundled_nix.find_host_nix() or bundled_nix.install_nix()
    with hold_lock("nix"):
        nix_build.add_inputs(nix)
        nix_build.build(nix, work / "nix-image")
    return work / "nix-image"


@command("reproducible", pins.InputProblem, BuildProblem, EnvironmentProblem)
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 one digest, 1 different digests or a failed build, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="score-processor reproducible", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--without-nix", action="store_true", help="skip the build with Nix")
    options = parser.parse_args(words)
    with in_use():
        digest = check(lambda line: print(line, flush=True), with_nix=not options.without_nix)
    print(f"reproducible: one digest, {digest}\nnot varied: the clock itself, the kernel, the processor model")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
