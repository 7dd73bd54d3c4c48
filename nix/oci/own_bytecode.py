"""The assembler's own bytecode, so that each of its processes starts without compiling."""

import hashlib
import sys
from importlib import import_module
from importlib.util import cache_from_source
from pathlib import Path

from .bytecode import compile_source


def compile_own(prefix: Path, place: Path) -> str:
    """Compile every module that the verbs load into the pycache prefix `prefix`; return hash_folder() of it.

    The package will be at `place`. Python does not check this bytecode against its sources when it loads it: the caller
    must make sure that neither has changed.
    """
    here = Path(__file__).resolve().parent
    for path in sorted(here.rglob("*.py")):
        if not path.name.startswith("__"):
            import_module(".".join((str(__package__), *path.relative_to(here).with_suffix("").parts)))
    sys.pycache_prefix = str(prefix)
    created: dict[str, bytes] = {}
    for name in sorted({str(getattr(module, "__file__", "")) for module in list(sys.modules.values())}):
        source = Path(name)
        final = place / source.relative_to(here) if source.is_relative_to(here) else source
        data = compile_source(source.read_bytes(), str(final)) if name.endswith(".py") else None
        if data is not None:
            target = Path(cache_from_source(str(final)))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            created[target.relative_to(prefix).as_posix()] = data
    return hash_contents(created)


def hash_folder(folder: Path) -> str:
    """Return a digest of the files below `folder`, as they are on disk."""
    paths = (path for path in folder.rglob("*") if not path.is_dir())
    return hash_contents({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def hash_contents(files: dict[str, bytes]) -> str:
    """Return a digest of names and contents, in hexadecimal."""
    rows = (f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in sorted(files.items()))
    return hashlib.sha256("".join(rows).encode()).hexdigest()
