"""Bytecode for every module of a layer, so that a cold start in a read-only image never compiles."""

import marshal
import posixpath
import sys
import warnings
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER, source_hash

from .contents import Contents, Data, File

# PEP 552 flags of a .pyc with its source's hash that Python does not check at import: no times, no stat.
UNCHECKED_HASH = b"\1\0\0\0"
# Later versions flag every object with more than one reference, which depends on what else the interpreter has loaded:
# the same source would give different bytes.
MARSHAL_VERSION = 2


class ModuleSource:
    """A module's source, read twice (for itself and its bytecode) but unpacked once: kept between the two reads."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._kept: bytes | None = None

    def read(self) -> bytes | None:
        """Return the source; None if the data has none."""
        if self._kept is None:
            self._kept = self._data.read()
            return self._kept
        kept, self._kept = self._kept, None
        return kept


@dataclass(frozen=True)
class Bytecode:
    """The .pyc of a source at `path`, compiled when it is read."""

    source: Data
    path: str

    def read(self) -> bytes | None:
        """Return the .pyc; None if the source does not compile, such as a template or a deliberately broken sample."""
        text = self.source.read()
        return None if text is None else compile_source(text, "/" + self.path)


def compile_source(source: bytes, path: str) -> bytes | None:
    """Compile `source` to an unchecked-hash .pyc; None if it is not valid Python.

    `path` is absolute, in the image: tracebacks name it. Equal sources and paths give equal bytes with one version of
    Python, which must be the image's.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            return None
    return MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + marshal.dumps(code, MARSHAL_VERSION)


def has_columns() -> bool:
    """Return whether this interpreter writes column tables, as it does unless started with `-X no_debug_ranges`."""
    return any(end is not None for *_, end in compile("x", "", "eval").co_positions())


def locate_bytecode(path: str) -> str:
    """Return the path of a module's cached bytecode. importlib's function would apply this process's pycache prefix."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "__pycache__", f"{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc")


def add_bytecode(contents: Contents) -> None:
    """Add a .pyc for every .py file in `contents`, once all of them are there; links get none.

    It is compiled when the layer is written. A file that is not valid Python gets none, which is no error. Raises
    PathConflict if a module has its bytecode already.
    """
    for path in contents.list_paths():
        entry = contents[path]
        if path.endswith(".py") and isinstance(entry, File):
            source = ModuleSource(entry.data)
            contents.replace(path, File(source, entry.executable))
            contents.add(locate_bytecode(path), File(Bytecode(source, path)), contents.find_origin(path))
