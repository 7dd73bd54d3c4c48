"""Whether the handler can be imported: its module, and those that it reaches, import only what the image holds."""

import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence

from oci.rules import Problem
from oci.scan import Item
from oci.tree import Tree

SITES = ("site-packages", "dist-packages")
MODULES = (".py", ".so", ".pyc")


class Importer:
    """Finds modules as Python would: in the function's folders, in the standard library, in each folder of packages."""

    def __init__(self, tree: Tree, folders: Sequence[str]) -> None:
        self._tree = tree
        self._own = tuple(folder.strip("/") for folder in folders)
        self._inside: dict[str, set[str]] = defaultdict(set)
        for item in tree:
            folder, _, name = item.path.rpartition("/")
            self._inside[folder].add(name)
        sites = [folder for folder in self._inside if posixpath.basename(folder) in SITES]
        self._packaged = {module for site in sites for module in self.modules_in(site)}

    def modules_in(self, folder: str) -> Iterator[str]:
        """The names of modules, packages and other folders in a folder."""
        for name in self._inside.get(self._tree.real(folder) or folder, ()):
            first, dot, _ = name.partition(".")
            if not dot or name.endswith(MODULES):
                yield first

    def find(self, name: str) -> Item | None:
        """The function's own module of this name; a package's `__init__.py` where there is one, else its folder."""
        path = name.replace(".", "/")
        spelled = (f"{folder}/{path}{end}" for folder in self._own for end in (".py", "/__init__.py", ""))
        return next((item for one in spelled if (item := self._tree.find(one)) is not None), None)

    def holds(self, name: str) -> bool:
        """Whether an import of this name finds something; of others' packages only the first part is looked at."""
        first = name.partition(".")[0]
        if self.find(first) is not None:
            return self.find(name) is not None or self._is_extension(name)
        return first in sys.stdlib_module_names or first in self._packaged or self._is_extension(first)

    def _is_extension(self, name: str) -> bool:
        folder, _, last = name.replace(".", "/").rpartition("/")
        places = (posixpath.join(own, folder).rstrip("/") for own in self._own)
        return any(last in self.modules_in(place) for place in places)


def import_problems(tree: Tree, handler: str, folders: Sequence[str]) -> Iterator[Problem]:
    """Imports of the handler's module, and of the function's own modules that it reaches, which find nothing."""
    importer = Importer(tree, folders)
    todo: list[str] = []

    def reach(module: str) -> None:
        for step in (module[:end] for end, mark in enumerate(module + ".") if mark == "."):
            if step not in todo and importer.find(step) is not None:
                todo.append(step)

    reach(handler)
    for module in todo:
        item = importer.find(module)
        for written in () if item is None else item.imports:
            assert item is not None
            name, _, member = written.partition(":")
            target = absolute(name, module, is_package=item.path.endswith("/__init__.py"))
            if member:
                reach(f"{target}.{member}")
            elif target is None or not importer.holds(target):
                yield Problem("handler-import", f"/{item.path}", f"it imports {name}, which is not in the image")
            else:
                reach(target)


def absolute(name: str, module: str, *, is_package: bool) -> str | None:
    """The whole name of an import in a module; None when its dots lead out of the top."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = module.split(".")
    kept = len(parts) - level + (1 if is_package else 0)
    if kept < 1:
        return None
    return ".".join([*parts[:kept], *([name[level:]] if name[level:] else [])])
