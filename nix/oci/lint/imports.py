"""Find modules as an image's interpreter would, and check the imports that are reached from one, without running it."""

import posixpath
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NamedTuple

from .interpreter import Interpreter
from .module import ModuleNames
from .rules import Problem
from .scan import LayerEntry
from .tree import FileTree

SITES = ("site-packages", "dist-packages")
# The first bytes of compiled modules, by the minor version of Python 3 that wrote them.
MAGIC = {8: 3413, 9: 3425, 10: 3439, 11: 3495, 12: 3531, 13: 3571, 14: 3627}


LONGEST_CHAIN = 50  # of modules that import * from one another
# Submodules that a module puts into sys.modules itself.
MADE = ("os.path", "six.moves")


class Answer(Enum):
    """The three answers of a check."""

    YES = auto()
    NO = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Found:
    """A module: the file that defines it (None for a namespace package or a module inside the interpreter).

    `folders` are the directories of its submodules; empty if it is not a package.
    """

    name: str
    entry: LayerEntry | None
    folders: tuple[str, ...] = ()
    inside: bool = False

    @property
    def names(self) -> ModuleNames | None:
        """What its source binds; None if the source was not read."""
        module = self.entry.module if self.entry is not None else None
        return module if module is not None and module.read else None

    @property
    def hides(self) -> bool:
        """Return whether submodules may exist that have no file."""
        return self.entry is not None and (self.entry.module is None or self.entry.module.hidden)


class ModuleFinder:
    """Finds modules on an interpreter's search path: built-in ones first, then directory by directory."""

    def __init__(self, tree: FileTree, interpreter: Interpreter) -> None:
        self.tree, self.interpreter = tree, interpreter
        self._known: dict[str, Found | None] = {}

    def find(self, name: str) -> Found | None:
        """Return the module `name`; None if no file defines it."""
        if name not in self._known:
            package, _, last = name.rpartition(".")
            if not package:
                inside = Found(name, None, inside=True) if name in self.interpreter.built_in else None
                self._known[name] = inside or self._search(name, last, self.interpreter.folders)
            else:
                above = self.find(package)
                self._known[name] = self._search(name, last, above.folders) if above else None
        return self._known[name]

    def exists(self, name: str) -> Answer:
        """Return whether `import name` finds a module."""
        if name in MADE or name.startswith("six.moves."):
            return self.exists(name.partition(".")[0])
        steps = [name[:end] for end, mark in enumerate(name + ".") if mark == "."]
        for step in steps:
            if self.find(step) is not None:
                continue
            package = step.rpartition(".")[0]
            above = self.find(package) if package else None
            if above is None:
                return Answer.UNKNOWN if self._may_hide(step) else Answer.NO
            return Answer.UNKNOWN if above.inside or above.hides else Answer.NO
        definition = self.find(name)
        return Answer.NO if definition is not None and self.is_foreign_bytecode(definition) else Answer.YES

    def is_foreign_bytecode(self, definition: Found) -> bool:
        """Return whether a module is a .pyc that another version of Python wrote."""
        if definition.entry is None or not definition.entry.path.endswith(".pyc"):
            return False
        expected = MAGIC.get(self.interpreter.minor or 0)
        return expected is not None and definition.entry.text not in ("", str(expected))

    def _may_hide(self, name: str) -> bool:
        # A frozen or statically linked module has no file. Whether it exists is known only if the program lists it.
        return bool(self.interpreter.unseen) or name.startswith("_frozen")

    def _search(self, name: str, last: str, folders: tuple[str, ...]) -> Found | None:
        portions: list[str] = []
        for folder in folders:
            inner = posixpath.join(folder, last)
            package = self._file(posixpath.join(inner, "__init__"))
            if package is not None:
                return Found(name, package, (inner,))
            module = self._file(inner)
            if module is not None:
                return Found(name, module)
            entry = self.tree.find(inner)
            if entry is not None and entry.kind == "folder":
                portions.append(inner)
        return Found(name, None, tuple(portions)) if portions else None

    def _file(self, stem: str) -> LayerEntry | None:
        for end in (*self.interpreter.suffixes, ".py", ".pyc"):
            entry = self.tree.find(stem + end)
            if entry is not None and entry.kind == "file":
                return entry
        return None

    def hides_another(self, name: str) -> bool:
        """Return whether a top-level module of the first directory hides one of the same name further on."""
        definition, first = self.find(name), self.interpreter.folders[:1]
        if definition is None or definition.names is None or definition.entry is None:
            return False
        path = definition.entry.path
        is_own = any(path in (f"{folder}/{name}.py", f"{folder}/{name}/__init__.py") for folder in first)
        return is_own and self._search(name, name, self.interpreter.folders[1:]) is not None

    def binds(self, module: str, name: str, seen: frozenset[str] = frozenset()) -> Answer:
        """Return whether the loaded module has an attribute `name`; submodules count only if something imports them."""
        definition = self.find(module)
        if definition is None or module in seen or len(seen) > LONGEST_CHAIN:
            return Answer.UNKNOWN
        if definition.entry is None:
            return Answer.UNKNOWN if definition.inside else Answer.NO
        read = definition.names
        if read is None or read.invalid:
            return Answer.UNKNOWN
        if name in read.bound:
            return Answer.YES
        if name in read.perhaps or read.hidden or self.find(f"{module}.{name}") is not None:
            return Answer.UNKNOWN
        answers = {self._exports(target, name, seen | {module}) for target in self._stars(definition, read)}
        return next((answer for answer in (Answer.YES, Answer.UNKNOWN) if answer in answers), Answer.NO)

    def _stars(self, definition: Found, read: ModuleNames) -> Iterator[str]:
        for spelled in read.stars:
            yield resolve_relative(spelled, definition) or spelled

    def _exports(self, module: str, name: str, seen: frozenset[str]) -> Answer:
        definition = self.find(module)
        read = definition.names if definition is not None else None
        if read is not None and read.exported is not None:
            return Answer.YES if name in read.exported else Answer.NO
        if read is not None and name.startswith("_") and not read.hidden:
            return Answer.NO
        return self.binds(module, name, seen)


def import_problems(finder: ModuleFinder, start: str, rule: str = "handler-import") -> Iterator[Problem]:
    """Yield a problem for every import that fails in the module `start` and in modules with read source below it.

    Where one of them adds directories to the search path, whether an import fails is unknown.
    """
    reached: list[Found] = []
    problems = list(_problems_below(finder, start, rule, reached))
    modules = [definition.entry.module for definition in reached if definition.entry is not None]
    searches = rule == "handler-import" and any(module.searches for module in modules if module is not None)
    for problem in problems:
        if searches and problem.rule == rule:
            text = f"{problem.text}; the function's modules add directories to the search path"
            yield replace(problem, text=text, unknown=True)
        else:
            yield problem


def _problems_below(finder: ModuleFinder, start: str, rule: str, reached: list[Found]) -> Iterator[Problem]:
    """Yield the problems of the imports in `start` and below; append every module to `reached`."""
    names: set[str] = set()

    def reach(module: str) -> None:
        for step in (module[:end] for end, mark in enumerate(module + ".") if mark == "."):
            definition = finder.find(step)
            if step not in names and definition is not None:
                names.add(step)
                reached.append(definition)

    reach(start)
    for definition in reached:
        read = definition.names
        if read is None or definition.entry is None:
            continue
        where = f"/{definition.entry.path}"
        yield from check_syntax(finder, read, where)
        for spelled in read.imported:
            name, _, member = spelled.partition(":")
            target = resolve_relative(name, definition)
            if rule == "runtime-client" and target == name and finder.hides_another(name.partition(".")[0]):
                yield describe_hidden(finder, name.partition(".")[0])
            if target is not None and finder.exists(target) == Answer.YES:
                reach(f"{target}.{member}" if member else target)
            yield from import_problem(finder, Import(rule, where, name, member), target)


class Import(NamedTuple):
    """An import in the file `where`; `member` of `from name import member`, or empty. `rule` is broken if it fails."""

    rule: str
    where: str
    name: str
    member: str


def import_problem(finder: ModuleFinder, imported: Import, target: str | None) -> Iterator[Problem]:
    """Yield the problem of one import, if there is one; `target` is its absolute name, None beyond all packages."""
    rule, where, name, member = imported
    if target is None:
        if not member:  # the import is reported once, not for each of its names
            yield Problem(rule, where, f"imports {name}, a relative import that leads beyond its top-level package")
        return
    answer = finder.exists(target)
    if member:  # whether the module itself exists is asked without a member
        missing = answer == Answer.YES and finder.find(f"{target}.{member}") is None
        if missing and finder.binds(target, member) == Answer.NO:
            yield Problem(rule, where, f"imports {member} from {target}, which does not define it")
    elif answer == Answer.NO:
        yield Problem(rule, where, f"imports {name}, which is not in the image")
    elif answer == Answer.UNKNOWN:
        reason = next(iter(finder.interpreter.unseen), f"a package of {name} may make it when it is loaded")
        yield Problem(rule, where, f"imports {name}, which has no file in the image; {reason}", unknown=True)


def describe_hidden(finder: ModuleFinder, name: str) -> Problem:
    """Return the problem of an own module that the runtime client gets in place of an installed or standard one."""
    module = finder.find(name)
    where = f"/{module.entry.path}" if module is not None and module.entry is not None else name
    return Problem("runtime-client", where, f"it hides the module {name} that the runtime client uses", unknown=True)


def check_syntax(finder: ModuleFinder, read: ModuleNames, where: str) -> Iterator[Problem]:
    """Yield a problem if the interpreter cannot parse a module; unknown if only ours cannot."""
    minor, ours = finder.interpreter.minor, sys.version_info.minor
    if read.invalid:
        newer = minor is None or minor > ours
        text = f"this linter's Python 3.{ours} cannot parse it" if newer else "not valid Python"
        yield Problem("handler-syntax", where, f"{text}: {read.invalid}", unknown=newer)
    elif minor is not None and read.minor > minor:
        yield Problem("handler-syntax", where, f"its syntax needs Python 3.{read.minor}, and the image has 3.{minor}")


def resolve_relative(name: str, module: Found) -> str | None:
    """Resolve a relative import in a module to an absolute name; None if its dots lead beyond the top-level package."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = module.name.split(".")
    kept = len(parts) - level + (1 if module.folders else 0)
    if kept < 1:
        return None
    return ".".join([*parts[:kept], *([name[level:]] if name[level:] else [])])
