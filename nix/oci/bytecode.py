"""Bytecode for every module of a layer, so that a function in a read-only image never compiles at a cold start."""

import marshal
import posixpath
import sys
import warnings
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER, source_hash

from oci.contents import Contents, Data, File

# Flags of a .pyc that carries its source's hash, which Python need not compare at import (PEP 552).
UNCHECKED_HASH = b"\1\0\0\0"
# Version 2 has no references between objects: later versions flag every object that is referred to more than once,
# which depends on what else the interpreter has loaded.
MARSHAL_VERSION = 2


class Source:
    """A module's source, which is unpacked once for two entries: from its first reading to its second it is held."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._held: bytes | None = None

    def read(self) -> bytes | None:
        """The bytes."""
        if self._held is None:
            self._held = self._data.read()
            return self._held
        held, self._held = self._held, None
        return held


@dataclass(frozen=True)
class Bytecode:
    """The .pyc of a source, compiled when it is read."""

    source: Data
    path: str

    def read(self) -> bytes | None:
        """The .pyc, or None where the source does not compile: templates and samples that are broken on purpose."""
        text = self.source.read()
        return None if text is None else compiled(text, "/" + self.path)


def compiled(source: bytes, path: str) -> bytes | None:
    """The bytes of an unchecked-hash .pyc of `source`, which lies at the absolute `path`; None if it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            return None
    return MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source) + marshal.dumps(code, MARSHAL_VERSION)


def has_columns() -> bool:
    """Whether this interpreter notes columns beside lines, as it does unless started with `-X no_debug_ranges`."""
    return any(end is not None for *_, end in compile("x", "", "eval").co_positions())


def bytecode_path(path: str) -> str:
    """Where Python looks for the bytecode of the module at `path`; unlike importlib's answer, wherever ours is kept."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "__pycache__", f"{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc")


def add_bytecode(contents: Contents) -> None:
    """Add the bytecode of every module in `contents`."""
    for path in contents.paths():
        entry = contents[path]
        if path.endswith(".py") and isinstance(entry, File):
            source = Source(entry.data)
            contents.replace(path, File(source, entry.executable))
            contents.add(bytecode_path(path), File(Bytecode(source, path)), contents.origin(path))
