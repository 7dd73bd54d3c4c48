"""Resolve the shared libraries of an image's ELF files as its dynamic loader would, without running it.

ld.so(8) searches a library in the RPATH of the file that needs it and of the files that loaded that one, in
LD_LIBRARY_PATH, in the file's own RUNPATH, in ld.so.cache, then in the system directories; a library that is already
loaded is found by its soname. Hence every program and every extension module is followed on its own, with all that it
loads.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .elf import Elf
from .scan import LayerEntry
from .texts import LOADER_CACHE, MUSL_PATH
from .tree import FileTree

# Compiled into the loaders: glibc's of Debian, Amazon Linux and others, and musl's. Other directories are in caches.
SYSTEM = (
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "lib64",
    "usr/lib64",
    "lib",
    "usr/lib",
)
MUSL_SYSTEM = ("lib", "usr/local/lib", "usr/lib")
MUSL = "libc.musl-x86_64.so.1"


@dataclass(frozen=True)
class MissingLibrary:
    """The file at `path` needs `library`, which the image does not have, or not with the symbol version `version`."""

    path: str
    library: str
    version: str | None = None


@dataclass(frozen=True)
class LoadedFile:
    """A file in memory, and the search paths inherited from the files that loaded it."""

    path: str
    elf: Elf
    inherited: tuple[str, ...]

    @property
    def rpaths(self) -> tuple[str, ...]:
        """Directories searched before LD_LIBRARY_PATH. A RUNPATH disables the file's own RPATH."""
        own_rpath = () if self.elf.runpath else resolve_origin(self.elf.rpath, self.path)
        return own_rpath + self.inherited


def resolve_origin(folders: Sequence[str], path: str) -> tuple[str, ...]:
    """Resolve search directories to paths in the image; `$ORIGIN` is the directory of the file at `path`."""
    here = posixpath.dirname(path)
    spelled = (folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", "/" + here) for folder in folders)
    return tuple(posixpath.normpath(folder).strip("/") for folder in spelled)


class Loader:
    """The dynamic loader of one image; `library_path` is its LD_LIBRARY_PATH."""

    def __init__(self, tree: FileTree, library_path: Sequence[str] = ()) -> None:
        self._tree = tree
        self._library_path = tuple(folder.strip("/") for folder in library_path)
        self._opened: dict[str, tuple[str, Elf] | None] = {}
        cache, path = tree.find(LOADER_CACHE), tree.find(MUSL_PATH)
        lines = (line.partition(" ") for line in cache.text.splitlines()) if cache is not None else ()
        self._cached: dict[str, list[str]] = defaultdict(list)
        for library, _, place in lines:
            self._cached[library].append(place)
        self._musl_system = re.split(r"[:\n]", path.text) if path is not None and path.text else MUSL_SYSTEM

    def find_missing(self) -> dict[MissingLibrary, bool]:
        """Return everything that cannot be resolved, sorted by path; the value is whether a Python module needs it."""
        files = [entry for entry in self._tree if entry.elf is not None and not entry.elf.broken]
        needed = {library for entry in files if entry.elf is not None for library in entry.elf.needed}
        starts = [entry for entry in files if not self._is_dependency(entry, needed)]
        libraries: dict[MissingLibrary, bool] = {}
        for entry in starts:
            for missing in self.follow(entry):
                libraries[missing] = libraries.get(missing, False) or bool(entry.elf and entry.elf.modules)
        order = sorted(libraries, key=lambda missing: (missing.path, missing.library, missing.version or ""))
        return {missing: libraries[missing] for missing in order}

    @staticmethod
    def _is_dependency(entry: LayerEntry, needed: set[str]) -> bool:
        # Loaded only by other files, with their search paths: checked where they are followed.
        return posixpath.basename(entry.path) in needed or (entry.elf is not None and entry.elf.soname in needed)

    def follow(self, entry: LayerEntry) -> Iterator[MissingLibrary]:
        """Yield what is missing when `entry`, an ELF file, is loaded, breadth first as the loader does it."""
        assert entry.elf is not None
        queue = [LoadedFile(entry.path, entry.elf, ())]
        names: dict[str, Elf] = {}
        for loaded in queue:
            names.setdefault(loaded.elf.soname or posixpath.basename(loaded.path), loaded.elf)
            for library in loaded.elf.needed:
                if library in names:
                    continue
                path = self.search(library, loaded)
                if path is None:
                    yield MissingLibrary(loaded.path, library)
                    continue
                names[library] = path[1]
                queue.append(LoadedFile(*path, loaded.rpaths))
        for loaded in queue:
            yield from find_missing_versions(loaded, names)

    def search(self, library: str, loaded: LoadedFile) -> tuple[str, Elf] | None:
        """Return path and ELF values of the file that `library` resolves to for a loaded file; None if missing."""
        if "/" in library:
            return self._open(library.strip("/"))
        folders = (*loaded.rpaths, *self._library_path, *resolve_origin(loaded.elf.runpath, loaded.path))
        system = self._musl_system if MUSL in loaded.elf.needed else SYSTEM
        places = [f"{folder}/{library}" for folder in folders]
        places += self._cached.get(library, []) + [f"{folder}/{library}" for folder in system]
        return next((found for place in places if (found := self._open(place))), None)

    def _open(self, path: str) -> tuple[str, Elf] | None:
        if path not in self._opened:
            real = self._tree.resolve(path)
            elf = self._tree.entries[real].elf if real else None
            self._opened[path] = (real, elf) if real is not None and elf is not None else None
        return self._opened[path]


def find_missing_versions(loaded: LoadedFile, names: dict[str, Elf]) -> Iterator[MissingLibrary]:
    """Yield the symbol versions that a loaded file needs and that its libraries do not define."""
    for library, version in loaded.elf.requires:
        provider = names.get(library)
        if provider is not None and provider.provides and version not in provider.provides:
            yield MissingLibrary(loaded.path, library, version)
