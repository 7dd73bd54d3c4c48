"""The file tree that a container sees: layers put on top of each other, links followed inside the image."""

import posixpath
from collections.abc import Iterable, Iterator

from oci.contents import parents
from oci.scan import Item, Scan

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
LINKS_FOLLOWED = 40
ROOT = Item("", "folder", 0o755)


def is_mark(path: str) -> bool:
    """Whether a path stands for the absence of another."""
    return WHITEOUT in path and posixpath.basename(path).startswith(WHITEOUT)


class Tree:
    """Items by path, later layers over earlier ones."""

    def __init__(self, scans: Iterable[Scan] = ()) -> None:
        self.items: dict[str, Item] = {}
        for scan in scans:
            self.apply(scan)

    def apply(self, scan: Scan) -> None:
        """Put one more layer on top."""
        marks = [item for item in scan.items if WHITEOUT in item.path]
        below = set(self.items) if marks else set()
        for item in marks:
            folder, name = posixpath.split(item.path)
            if name == OPAQUE:
                self._remove(folder, below, itself=False)
            elif name.startswith(WHITEOUT):
                self._remove(posixpath.join(folder, name.removeprefix(WHITEOUT)), below, itself=True)
        for item in scan.items:
            if item.path and not is_mark(item.path):
                self.items[item.path] = self._linked(item) if item.kind == "hard link" else item

    def _linked(self, item: Item) -> Item:
        """A hard link as the file that it is one more name of."""
        first = self.items.get(item.target.removeprefix("./"))
        return item if first is None else first._replace(path=item.path)

    def _remove(self, path: str, below: set[str], *, itself: bool) -> None:
        inside = path + "/" if path else ""
        for held in [held for held in below if held.startswith(inside) or (itself and held == path)]:
            self.items.pop(held, None)

    def real(self, path: str) -> str | None:
        """The path of what `path` leads to, links followed; None when that is nothing."""
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        here: list[str] = []
        followed = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del here[-1:]
                continue
            here.append(part)
            item = self.items.get("/".join(here))
            if item is None:
                return None
            if item.kind == "link":
                followed += 1
                if followed > LINKS_FOLLOWED:
                    return None
                if item.target.startswith("/"):
                    here = []
                else:
                    here.pop()
                todo += [part for part in reversed(item.target.split("/")) if part not in ("", ".")]
        return "/".join(here)

    def find(self, path: str) -> Item | None:
        """What `path` leads to, links followed; None when that is nothing."""
        real = self.real(path)
        if real == "":
            return ROOT
        return None if real is None else self.items[real]

    def through_link(self, path: str) -> str | None:
        """The first link on the way to `path`, the last part included; None when there is none."""
        path = path.strip("/")
        for step in [*reversed(list(parents(path))), path]:
            item = self.items.get(step)
            if item is not None and item.kind == "link":
                return step
        return None

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items.values())
