"""The file tree that a container sees: layers merged as an overlay, links resolved inside the image."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..paths import parents
from .scan import LayerEntry, Scan

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
LINKS_FOLLOWED = 40
ROOT = LayerEntry("", "folder", 0o755)


def is_whiteout(path: str) -> bool:
    """Return whether a path is a whiteout, which deletes a path of an earlier layer."""
    return WHITEOUT in path and posixpath.basename(path).startswith(WHITEOUT)


class FileTree:
    """Entries by path; an entry of a later layer replaces that of an earlier one. Iteration yields the entries."""

    def __init__(self, scans: Iterable[Scan] = ()) -> None:
        self.entries: dict[str, LayerEntry] = {}
        self._names: dict[str, set[str]] = defaultdict(set)  # by directory
        for scan in scans:
            self.apply(scan)

    def apply(self, scan: Scan) -> None:
        """Apply one more layer, its whiteouts first.

        Only a directory over a directory is merged. Anything else hides what was there: a file or link hides a whole
        directory, and a directory, even one that only the path of a file implies, hides a link and so what it leads to.
        """
        for folder, name in [posixpath.split(entry.path) for entry in scan.entries if is_whiteout(entry.path)]:
            if name == OPAQUE:
                self._empty(folder)
            else:
                self._remove(posixpath.join(folder, name.removeprefix(WHITEOUT)))
        folders: set[str] = set()
        for entry in scan.entries:
            path = entry.path
            if not path or is_whiteout(path):
                continue
            if path.rpartition("/")[0] not in folders and not path.startswith(("/", "..")):
                self._make_parents(path, folders)
            replaced = self.entries.get(path)
            if replaced is not None and replaced.kind == "folder" and entry.kind != "folder":
                self._empty(path)
                folders.discard(path)
            self._put(self._resolve(entry) if entry.kind == "hard link" else entry)

    def _put(self, entry: LayerEntry) -> None:
        self.entries[entry.path] = entry
        folder, _, name = entry.path.rpartition("/")
        self._names[folder].add(name)

    def _make_parents(self, path: str, folders: set[str]) -> None:
        for parent in parents(path):
            if parent in folders:
                break
            above = self.entries.get(parent)
            if above is None or above.kind != "folder":
                self._put(ROOT._replace(path=parent))
            folders.add(parent)

    def _resolve(self, hard_link: LayerEntry) -> LayerEntry:
        target = self.entries.get(hard_link.target.removeprefix("./").strip("/"))
        return hard_link if target is None else target._replace(path=hard_link.path)

    def _remove(self, path: str) -> None:
        """Remove a path, and everything below it."""
        self._empty(path)
        self.entries.pop(path, None)
        folder, _, name = path.rpartition("/")
        self._names[folder].discard(name)

    def _empty(self, folder: str) -> None:
        """Remove everything below a directory."""
        todo = [folder]
        while todo:
            inner = todo.pop()
            for name in self._names.pop(inner, ()):
                path = f"{inner}/{name}" if inner else name
                self.entries.pop(path, None)
                todo.append(path)

    def list_names(self, folder: str) -> list[str]:
        """Return the names in a directory, links to it resolved, sorted; [] if it does not exist."""
        real = self.resolve(folder)
        return [] if real is None else sorted(self._names.get(real, ()))

    def resolve(self, path: str, passed: list[LayerEntry] | None = None) -> str | None:
        """Resolve all links in `path`; None if the target does not exist or after LINKS_FOLLOWED links.

        Every directory on the way, that at the end included, is appended to `passed`.
        """
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        here: list[str] = []
        followed = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del here[-1:]
                continue
            here.append(part)
            entry = self.entries.get("/".join(here))
            if entry is None:
                return None
            if entry.kind == "folder" and passed is not None:
                passed.append(entry)
            if entry.kind == "link":
                followed += 1
                if followed > LINKS_FOLLOWED:
                    return None
                if entry.target.startswith("/"):
                    here = []
                else:
                    here.pop()
                todo += [part for part in reversed(entry.target.split("/")) if part not in ("", ".")]
        return "/".join(here)

    def list_directories_to(self, path: str) -> list[LayerEntry]:
        """Return every directory on the way to `path`, links followed; up to a missing one if there is no such path."""
        passed: list[LayerEntry] = []
        self.resolve(path, passed)
        return passed

    def find(self, path: str) -> LayerEntry | None:
        """Return the entry at `path`, links resolved; None if there is none."""
        real = self.resolve(path)
        if real == "":
            return ROOT
        return None if real is None else self.entries[real]

    def find_link(self, path: str) -> str | None:
        """Return the first link in `path`, its last part included; None if there is none."""
        path = path.strip("/")
        for step in [*reversed(list(parents(path))), path]:
            entry = self.entries.get(step)
            if entry is not None and entry.kind == "link":
                return step
        return None

    def __iter__(self) -> Iterator[LayerEntry]:
        return iter(self.entries.values())
