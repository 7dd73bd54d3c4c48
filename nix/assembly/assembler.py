"""Run the assembler (nix/oci) under the Python of the image's own root, so that the host cannot change a byte."""

import contextlib
import errno
import functools
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nix.cache import input_cache, sealed
from nix.cache.folder import create_cache_dir, hold_lock, is_read_only
from nix.oci.nar import nar_hash
from nix.oci.own_bytecode import hash_folder
from nix.oci.paths import PYTHON

SOURCES = "nix/oci/"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class BuildProblem(Exception):
    """Raised if an image cannot be built; the message has the place, got, expected and the next step."""


def hash_sources(files: Mapping[str, bytes] | None = None) -> str:
    """Return the sha256, in hexadecimal, of the assembler's sources by path; by default, of those in nix/oci.

    Paths are relative to nix/oci. The order of `files` does not matter; lengths are hashed too, so that no two sets of
    files share a digest.
    """
    if files is None:
        here = Path(__file__).resolve().parents[1] / "oci"
        files = {str(path.relative_to(here)): path.read_bytes() for path in here.rglob("*.py")}
    together = hashlib.sha256()
    for name, data in sorted(files.items()):
        together.update(f"{name} {len(data)}\n".encode() + data)
    return together.hexdigest()


@dataclass
class Assembler:
    """Starts the assembler; thread-safe.

    `root` is the image's unpacked root and `root_hash` its NAR hash, `sources` the assembler's own files by path below
    nix/oci; `key` is a digest of both, for cache keys.
    """

    root: Path
    root_hash: str
    sources: Mapping[str, bytes]
    _tree: Path | None = None
    _marks: dict[Path, str] = field(default_factory=dict)
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @functools.cached_property
    def digest(self) -> str:
        """The digest of the sources."""
        return hash_sources(self.sources)

    @functools.cached_property
    def key(self) -> str:
        """A digest of everything, besides its arguments, that decides the assembler's output."""
        return hashlib.sha256(f"{self.digest} {self.root_hash}".encode()).hexdigest()

    @property
    def name(self) -> str:
        """The name of its entry in the cache. It depends on the cache's path, because bytecode contains paths."""
        return hashlib.sha256(f"{self.key} {create_cache_dir()}".encode()).hexdigest()[:32]

    def install(self, spare: Path) -> None:
        """Put sources and bytecode into the cache, or into the folder `spare` if that is read-only; idempotent.

        Raises sealed.Altered if something is changed meanwhile.
        """
        self._watch(self.root, self.root_hash)
        tree = create_cache_dir() / "assembler" / self.name / "tree"
        if not sealed.verify(tree, None):
            if is_read_only():
                tree = spare / "assembler" / "tree"
                self._make(tree, tree)
            else:
                with hold_lock(f"assembler-{self.name}"):
                    if not sealed.verify(tree, None):
                        self._replace(tree)
        self._watch(tree, None)
        self._tree = tree

    def _watch(self, folder: Path, tree_hash: str | None) -> None:
        mark = sealed.verify(folder, tree_hash)
        if mark is None:
            raise sealed.Altered(f"{folder}: altered since it was verified")
        self._marks[folder] = mark

    def _replace(self, tree: Path) -> None:
        entry = tree.parent
        if entry.exists():
            input_cache.report(f"assembler/{entry.name}: altered since it was made; making it again")
        for left in (entry, *entry.parent.glob(f"{entry.name}.part-*")):
            shutil.rmtree(left, ignore_errors=True)
        part = entry.with_name(f"{entry.name}.part-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            self._make(part / "tree", tree)
            part.rename(entry)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _make(self, tree: Path, place: Path) -> None:
        """Write sources and bytecode into `tree`, which will be at `place`, and seal it."""
        for name, data in self.sources.items():
            (tree / "oci" / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / "oci" / name).write_bytes(data)
        expected = self._run(tree, "compile", "--output", tree / "bytecode", "--place", place / "oci")
        mark = sealed.compute_fingerprint(tree)
        written = {path.relative_to(tree / "oci").as_posix(): path for path in (tree / "oci").rglob("*.py")}
        same = hash_sources({name: path.read_bytes() for name, path in written.items()}) == self.digest
        if not same or hash_folder(tree / "bytecode") != expected:
            raise sealed.Altered(f"{tree}: altered while it was made")
        sealed.seal(tree, mark, nar_hash(tree))
        self.verify()

    def verify(self) -> None:
        """Raise sealed.Altered if the root or the assembler was changed since it was verified, restored or not."""
        for folder, mark in self._marks.items():
            with contextlib.suppress(OSError):
                if sealed.compute_fingerprint(folder) == mark:
                    continue
            raise sealed.Altered(f"{folder}: altered while the assembler ran")

    def run(self, *words: str | Path) -> str:
        """Run one verb and return its output, stripped; raises BuildProblem with its message if it fails."""
        assert self._tree is not None, "install() comes first"
        return self._run(self._tree, *words)

    def _run(self, tree: Path, *words: str | Path) -> str:
        with self._lock:
            if self._stopped:
                raise BuildProblem("stopped")
            process = self._start(tree, words)
            self._running.add(process)
        try:
            output, problems = process.communicate()
        finally:
            self._running.discard(process)
        if process.returncode:
            raise BuildProblem(problems.strip() or f"the assembler exited with status {process.returncode}")
        return output.strip()

    def _start(self, tree: Path, words: tuple[str | Path, ...]) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                [*self._interpreter(), str(tree / "oci"), *map(str, words)],
                env=self._environment(tree),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as problem:
            if problem.errno == errno.EACCES and os.statvfs(self.root).f_flag & os.ST_NOEXEC:
                raise BuildProblem(
                    f"cache {create_cache_dir()}: mounted noexec, expected a file system that programs can run from\n"
                    "next: export SCORE_PROCESSOR_CACHE=FOLDER on such a file system"
                ) from None
            self.verify()
            raise

    def stop(self) -> None:
        """Terminate all running processes, wait for them, and start no more."""
        with self._lock:
            self._stopped = True
            for process in list(self._running):
                process.terminate()
        for process in list(self._running):
            process.wait()

    def _interpreter(self) -> list[str]:
        libraries = self.root / LIBRARIES
        loader = libraries / "ld-linux-x86-64.so.2"
        python = [str(loader), "--library-path", str(libraries), str(self.root / PYTHON)]
        return [*python, "-S", "-s", "-P", "-B", "-X", "no_debug_ranges"]

    def _environment(self, tree: Path) -> dict[str, str]:
        # The caller's variables could change the output, so that none is passed on.
        return {
            # glibc raises its limit to the largest block that was freed, 25 MB, and would then keep such blocks.
            "MALLOC_MMAP_THRESHOLD_": str(8 << 20),
            "PYTHONHASHSEED": "0",
            "PYTHONHOME": str(self.root / "usr"),
            "PYTHONPYCACHEPREFIX": os.fspath(tree / "bytecode"),
        }
