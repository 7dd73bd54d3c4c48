"""Alter one file of a warm cache at one moment of a build, from another process; then build again.

The rule: a build ends with the right digest or with an error, never with another digest; and the next build mends it.
"""

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nix import pins
from nix.cache import input_cache
from nix.cache.folder import create_cache_dir
from nix.cache_roots import plan_image_layers

KINDS = ("inputs", "verified", "roots", "layers", "assembler", "locks")
CLOSED = "http://127.0.0.1:9/"
LONGEST_S = 1.5
"""From the start of a build to the latest alteration; a warm build takes a third of it on an idle machine."""


@dataclass(frozen=True)
class Round:
    """An alteration, its moment, and the end of both builds: the right digest, another one, or an error."""

    seed: int
    path: str
    action: str
    moment_s: float
    cold: bool
    during: str
    after: str
    messages: str

    @property
    def is_right(self) -> bool:
        """Whether the rule holds, and no error is a traceback."""
        return self.during in ("right", "error") and self.after == "right" and "Traceback" not in self.messages

    def __str__(self) -> str:
        when = f"{self.moment_s:.2f} s after the start of a {'cold' if self.cold else 'warm'} build"
        return f"seed {self.seed}: {self.path} {self.action} {when}: {self.during}, then {self.after}\n{self.messages}"


def flip(path: Path, chosen: random.Random) -> None:
    """Change one bit in place."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        at = chosen.randrange(size) if size else 0
        file.seek(at)
        byte = file.read(1) or b"\0"
        file.seek(at)
        file.write(bytes([byte[0] ^ 1 << chosen.randrange(8)]))


def flip_unseen(path: Path, chosen: random.Random) -> None:
    """Change one bit in place, and restore the times that a program can set."""
    before = path.stat()
    flip(path, chosen)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(path: Path, chosen: random.Random) -> None:
    """Shorten a file."""
    os.truncate(path, chosen.randrange(path.stat().st_size + 1))


def remove(path: Path, _: random.Random) -> None:
    """Remove a file."""
    path.unlink()


def replace(path: Path, chosen: random.Random) -> None:
    """Put other bytes of the same number in the place of a file."""
    other = path.with_name(f"{path.name}.new")
    other.write_bytes(chosen.randbytes(min(path.stat().st_size, 1 << 20)))
    other.rename(path)


def swap(path: Path, chosen: random.Random) -> None:
    """Put a copy of the file beside it in its place."""
    shutil.copyfile(chosen.choice([one for one in path.parent.iterdir() if one.is_file()] or [path]), f"{path}.new")
    Path(f"{path}.new").rename(path)


ACTIONS: tuple[Callable[[Path, random.Random], None], ...] = (flip, flip_unseen, cut, remove, replace, swap)


@dataclass(frozen=True)
class Bench:
    """A copy of this machine's cache, complete for the image, and the build that uses it."""

    source: Path
    cache: Path
    output: Path
    expected: str

    @classmethod
    def make(cls, source: Path, folder: Path) -> "Bench":
        """Copy what the image of `source` needs; its inputs once more, for what has to be fetched again."""
        bench = cls(source, folder / "cache", folder / "out" / "image", "")
        for place in (bench.cache / "inputs", folder / "again"):
            place.mkdir(parents=True)
            for entry in pins.list_inputs("image"):
                shutil.copyfile(input_cache.locate_input(entry), place / entry.file_name)
        for plan in plan_image_layers()[0]:
            if plan.is_made:
                shutil.copytree(plan.folder, bench.cache / "layers" / plan.key)
        root = f"image-{pins.read_deb_lock('image').root[:16]}"
        shutil.copytree(create_cache_dir() / "roots" / root, bench.cache / "roots" / root, symlinks=True)
        output, errors = bench.start().communicate(timeout=600)
        assert output, errors
        return dataclasses.replace(bench, expected=str(json.loads(output)["digest"]))

    def start(self) -> subprocess.Popen[str]:
        """Start a build that can fetch inputs from the second copy only."""
        closed = {"PIP_INDEX_URL": CLOSED, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "DEBIAN_MIRROR": CLOSED}
        own = {"SCORE_PROCESSOR_CACHE": str(self.cache), "ARCHIVE": str(self.cache.with_name("again"))}
        return subprocess.Popen(
            [sys.executable, "-m", "nix.build", "--json", "--output", str(self.output)],
            cwd=self.source,
            env={**os.environ, **closed, **own, "PYTHONPATH": str(self.source)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_build(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """Wait for a build; return how it ended, and what it reported of the cache."""
        output, errors = process.communicate(timeout=600)
        text = "\n".join(line for line in errors.splitlines() if not line.startswith("layer "))
        if process.returncode:
            return "error", text
        return "right" if json.loads(output)["digest"] == self.expected else "another digest", text

    def files(self, kind: str) -> list[Path]:
        """Return the files of one kind; of layers, the build's own."""
        return sorted(path for path in (self.cache / kind).rglob("*") if path.is_file() and not path.is_symlink())

    def round(self, seed: int) -> Round:
        """Alter one file during a build, and build again."""
        chosen = random.Random(seed)
        cold = chosen.random() < 0.3
        if cold:
            self.forget_app_layers()
        path = chosen.choice(self.files(chosen.choice([kind for kind in KINDS if self.files(kind)])))
        action, moment = chosen.choice(ACTIONS), chosen.random() ** 2 * LONGEST_S
        building = self.start()
        time.sleep(moment)
        try:
            action(path, chosen)
            name = action.__name__
        except FileNotFoundError:
            name = "gone already"
        during, messages = self.wait_for_build(building)
        after, more = self.wait_for_build(self.start())
        place = path.relative_to(self.cache).as_posix()
        return Round(seed, place, name, moment, cold, during, after, "\n".join(filter(None, (messages, more))))

    def forget_app_layers(self) -> None:
        """Remove the layers that are made in a moment, so that the next build makes them."""
        for folder in (self.cache / "layers").iterdir():
            try:
                name = json.loads((folder / "layer.json").read_bytes())["name"]
            except (OSError, ValueError):
                continue
            if name in ("plexus", "handler", "zstandard"):
                shutil.rmtree(folder)

    def rounds(self, seeds: Iterable[int]) -> Iterator[Round]:
        """Play one round for each seed."""
        yield from map(self.round, seeds)
