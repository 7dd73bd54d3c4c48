"""The Python interpreter of an image: its version, and where it looks for modules.

The rules are CPython's: getpath (prefix from landmarks above the resolved executable, pyvenv.cfg), site (site-packages,
.pth files), and Debian's patch of site (dist-packages). A directory that is searched unseen is never assumed: what may
add one is listed in `unseen`, and a module that is not found then is unknown, not missing.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .tree import FileTree

NAMED = re.compile(r"python3\.(\d+)(t?)\Z")
LINKED = re.compile(r"libpython3\.(\d+)(t?)\.so")
LIBRARIES = ("lib", "lib64")
# Whatever these .pth files import adds no directory to the search path.
HARMLESS = {"distutils-precedence.pth", "_virtualenv.pth", "a1_coverage.pth"}
# Compiled into every Python, with init functions of other names.
UNNAMED = {"sys", "builtins", "marshal", "_warnings"}
# Debian's hook for crash reports, in /etc/python3.N; a longer file is somebody else's.
DEBIAN_HOOK = 250


@dataclass(frozen=True)
class Interpreter:
    """One start of Python: `minor` is N of Python 3.N, `folders` is its sys.path, without slashes at either end.

    `built_in` are the modules compiled into the program. `unseen` are reasons why `folders` or `built_in` may be
    incomplete. `musl` is whether its C library is musl.
    """

    minor: int | None
    folders: tuple[str, ...]
    built_in: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()
    musl: bool = False
    free_threaded: bool = False

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File name endings of the extension modules that this interpreter loads."""
        tag = f".cpython-3{self.minor}{'t' if self.free_threaded else ''}-x86_64-linux-"
        libc = ("musl.so", "gnu.so") if self.musl else ("gnu.so",)
        return (*(tag + name for name in libc), *(() if self.free_threaded else (".abi3.so",)), ".so")


@dataclass
class _Search:
    """The search path while it is put together."""

    tree: FileTree
    folders: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, path: str) -> bool:
        """Append a directory, or note a zip file that nobody looks into; return whether the path exists."""
        entry = self.tree.find(path)
        if entry is None:
            return False
        if entry.kind != "folder":
            self.unseen.append(f"/{path.strip('/')} is not read")
        elif path.strip("/") not in self.folders:
            self.folders.append(path.strip("/"))
        return True


def find_interpreter(
    tree: FileTree, program: str, flags: str, environment: Mapping[str, str], first: Sequence[str]
) -> Interpreter:
    """Return the interpreter at the path `program` as it would start; `first` are the directories before all others.

    `flags` are its single-letter options. The user's own site-packages are left out: Lambda's user has none.
    """
    search = _Search(tree)
    if is_isolated(flags):
        environment = {}
    if "I" not in flags and "P" not in flags and not environment.get("PYTHONSAFEPATH"):
        for folder in first:
            search.add(folder)
    for folder in filter(None, environment.get("PYTHONPATH", "").split(":")):
        search.add(folder if folder.startswith("/") else posixpath.join(first[0] if first else "/", folder))
    real = tree.resolve(program) or program.strip("/")
    minor, free_threaded = find_version(tree, real)
    if minor is None:
        search.unseen.append(f"the version of /{real} is unknown")
    else:
        _add_standard(search, program, real, minor, environment, site="S" not in flags)
    built_in = list_built_in_modules(tree, real)
    if not built_in:
        search.unseen.append(f"the modules inside /{real} are unknown")
    entry = tree.entries.get(real)
    musl = entry is not None and entry.elf is not None and "musl" in (entry.elf.interpreter or "")
    unseen = tuple(dict.fromkeys(search.unseen))
    return Interpreter(minor, tuple(search.folders), built_in, unseen, musl, free_threaded)


def is_isolated(flags: str) -> bool:
    """Return whether Python ignores its own variables of the environment, PYTHON*."""
    return "E" in flags or "I" in flags


def find_version(tree: FileTree, real: str) -> tuple[int | None, bool]:
    """Return N of Python 3.N and whether it is free-threaded, from its name, its library or its standard library."""
    if match := NAMED.search(real):
        return int(match[1]), bool(match[2])
    entry = tree.entries.get(real)
    for library in entry.elf.needed if entry is not None and entry.elf is not None else ():
        if match := LINKED.match(library):
            return int(match[1]), bool(match[2])
    prefix = posixpath.dirname(posixpath.dirname(real))
    standard = {
        int(match[1])
        for library in LIBRARIES
        for name in tree.list_names(posixpath.join(prefix, library))
        if (match := NAMED.fullmatch(name)) and tree.find(posixpath.join(prefix, library, name, "os.py"))
    }
    return (standard.pop(), False) if len(standard) == 1 else (None, False)


def list_built_in_modules(tree: FileTree, real: str) -> frozenset[str]:
    """Return the names of the modules in the program or its libpython; empty if neither says."""
    programs = [entry for entry in [tree.entries.get(real)] if entry is not None and entry.elf is not None]
    needed = {name for entry in programs if entry.elf for name in entry.elf.needed if LINKED.match(name)}
    libraries = [entry for entry in tree if entry.elf is not None and posixpath.basename(entry.path) in needed]
    modules = {name for entry in (*programs, *libraries) if entry.elf for name in entry.elf.modules}
    return frozenset(modules | UNNAMED) if modules else frozenset()


def _add_standard(
    search: _Search, program: str, real: str, minor: int, environment: Mapping[str, str], *, site: bool
) -> None:
    name = f"python3.{minor}"
    home, virtual, shared = _virtual_environment(search.tree, program)
    fixed, start = environment.get("PYTHONHOME", "").partition(":")[0], home or posixpath.dirname(real)
    # The variable's folder is the prefix, whatever is in it.
    above = (folder for folder in _parents(start) if _has_standard(search.tree, folder, name))
    prefix = fixed.strip("/") if fixed else next(above, None)
    if prefix is None:
        search.unseen.append(f"the standard library of /{real} is not above it")
        return
    # Most images have no python3N.zip; where one exists, it is searched before everything else.
    search.add(posixpath.join(prefix, "lib", f"python3{minor}.zip"))
    for library in LIBRARIES:
        search.add(posixpath.join(prefix, library, name))
        search.add(posixpath.join(prefix, library, name, "lib-dynload"))
    if not site:
        return
    sites = [*_sites(virtual, name)] if virtual else []
    if not virtual or shared:
        sites += _debian_sites(prefix, name) if _is_debian(search.tree, prefix) else _sites(prefix, name)
    for folder in sites:
        if search.add(folder):
            _read_pth(search, folder)
    for hook in ("sitecustomize", "usercustomize"):
        hooks = [search.tree.find(f"{folder}/{hook}.py") for folder in search.folders]
        for entry in hooks:
            if entry is not None and not (entry.path.startswith("etc/python3") and entry.size < DEBIAN_HOOK):
                search.unseen.append(f"/{entry.path} runs first")


def _parents(folder: str) -> Iterator[str]:
    folder = folder.strip("/")
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _has_standard(tree: FileTree, prefix: str, name: str) -> bool:
    places = [posixpath.join(prefix, library, name) for library in LIBRARIES]
    return any(tree.find(f"{place}/os.{end}") for place in places for end in ("py", "pyc"))


def _virtual_environment(tree: FileTree, program: str) -> tuple[str, str, bool]:
    """Return the base's bin directory, the environment's prefix, and whether the base's packages count; or nothing."""
    above = posixpath.dirname(program).strip("/")
    for folder in (above, posixpath.dirname(above)):
        entry = tree.find(f"{folder}/pyvenv.cfg") if folder else None
        if entry is not None and entry.text:
            lines = (line.partition("=") for line in entry.text.splitlines())
            values = {key.strip().lower(): value.strip() for key, _, value in lines}
            return values.get("home", ""), folder, values.get("include-system-site-packages") == "true"
    return "", "", False


def _is_debian(tree: FileTree, prefix: str) -> bool:
    return prefix == "usr" and (tree.find("etc/debian_version") or tree.find("usr/lib/python3")) is not None


def _debian_sites(prefix: str, name: str) -> list[str]:
    return [f"{prefix}/{folder}/dist-packages" for folder in (f"local/lib/{name}", "lib/python3", f"lib/{name}")]


def _sites(prefix: str, name: str) -> list[str]:
    # Fedora's Python in /usr also searches /usr/local.
    prefixes = [prefix, *(["usr/local"] if prefix == "usr" else [])]
    return [posixpath.join(one, library, name, "site-packages") for one in prefixes for library in LIBRARIES]


def _read_pth(search: _Search, folder: str) -> None:
    """Follow the .pth files of a directory as site does: a line is a directory, or code that starts with `import`."""
    for name in sorted(search.tree.list_names(folder)):
        if not name.endswith(".pth") or name.startswith("."):
            continue
        entry = search.tree.find(f"{folder}/{name}")
        for line in entry.text.splitlines() if entry is not None else ():
            if line.startswith(("import ", "import\t")):
                if name not in HARMLESS:
                    search.unseen.append(f"/{folder}/{name} runs code")
            elif line.strip() and not line.startswith("#"):
                search.add(posixpath.join("/" + folder, line.rstrip()))
