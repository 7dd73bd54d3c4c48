"""Finds the libraries of an image's ELF files as its dynamic loader would, without running it.

A library is searched in the RPATH of the file that needs it and of those that loaded that one, in LD_LIBRARY_PATH, in
its RUNPATH, then in the system's folders; one that is loaded already serves by its name. So each program and each
extension module is followed on its own, with everything that it loads.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oci.elf import Elf
from oci.scan import Item
from oci.tree import Tree

SYSTEM = (
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "lib64",
    "usr/lib64",
    "lib",
    "usr/lib",
    "usr/local/lib",
)


@dataclass(frozen=True)
class Missing:
    """`path` needs `library`, or of it the symbol version `version`, and the image does not have it."""

    path: str
    library: str
    version: str | None = None


@dataclass(frozen=True)
class Loaded:
    """A file in memory, and the search paths that it inherits from those that loaded it."""

    path: str
    elf: Elf
    inherited: tuple[str, ...]

    @property
    def rpaths(self) -> tuple[str, ...]:
        """Folders for what this file needs that come before LD_LIBRARY_PATH; a RUNPATH switches its own RPATH off."""
        own = () if self.elf.runpath else origin(self.elf.rpath, self.path)
        return own + self.inherited


def origin(folders: Sequence[str], path: str) -> tuple[str, ...]:
    """Search folders as paths in the image, `$ORIGIN` being the folder of the file at `path`."""
    here = posixpath.dirname(path)
    spelled = (folder.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", "/" + here) for folder in folders)
    return tuple(posixpath.normpath(folder).strip("/") for folder in spelled)


class Loader:
    """The dynamic loader of one image."""

    def __init__(self, tree: Tree, library_path: Sequence[str] = ()) -> None:
        self._tree = tree
        self._library_path = tuple(folder.strip("/") for folder in library_path)
        self._real: dict[str, tuple[str, Elf] | None] = {}

    def missing(self) -> list[Missing]:
        """Everything that no search finds, once each, sorted."""
        files = [item for item in self._tree if item.elf is not None and not item.elf.broken]
        wanted = {library for item in files if item.elf is not None for library in item.elf.needed}
        starts = [item for item in files if not self._is_only_needed(item, wanted)]
        found = {missing for item in starts for missing in self.follow(item)}
        return sorted(found, key=lambda missing: (missing.path, missing.library, missing.version or ""))

    @staticmethod
    def _is_only_needed(item: Item, wanted: set[str]) -> bool:
        """Whether a file is loaded for others' sake only, so that its search starts with theirs."""
        return posixpath.basename(item.path) in wanted or (item.elf is not None and item.elf.soname in wanted)

    def follow(self, item: Item) -> Iterator[Missing]:
        """What is missing when this file and all that it needs is loaded, in the loader's order: breadth first."""
        assert item.elf is not None
        queue = [Loaded(item.path, item.elf, ())]
        names: dict[str, Elf] = {}
        for loaded in queue:
            names.setdefault(loaded.elf.soname or posixpath.basename(loaded.path), loaded.elf)
            for library in loaded.elf.needed:
                if library in names:
                    continue
                found = self.search(library, loaded)
                if found is None:
                    yield Missing(loaded.path, library)
                    continue
                names[library] = found[1]
                queue.append(Loaded(*found, loaded.rpaths))
        for loaded in queue:
            yield from lacking_versions(loaded, names)

    def search(self, library: str, loaded: Loaded) -> tuple[str, Elf] | None:
        """(path, facts) of the file that serves as `library` for a loaded file."""
        if "/" in library:
            return self._open(library.strip("/"))
        folders = (*loaded.rpaths, *self._library_path, *origin(loaded.elf.runpath, loaded.path), *SYSTEM)
        return next((found for folder in folders if (found := self._open(f"{folder}/{library}"))), None)

    def _open(self, path: str) -> tuple[str, Elf] | None:
        if path not in self._real:
            real = self._tree.real(path)
            elf = self._tree.items[real].elf if real else None
            self._real[path] = (real, elf) if real is not None and elf is not None else None
        return self._real[path]


def lacking_versions(loaded: Loaded, names: dict[str, Elf]) -> Iterator[Missing]:
    """Symbol versions that a loaded file asks of a library that does not define them."""
    for library, version in loaded.elf.requires:
        provider = names.get(library)
        if provider is not None and provider.provides and version not in provider.provides:
            yield Missing(loaded.path, library, version)
