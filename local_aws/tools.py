"""The pinned root of Debian 13 packages that LocalStack, the registry and bubblewrap run from."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
if str(REPOSITORY / "nix") not in sys.path:  # the build's modules are not a package: they also run as plain files
    sys.path.append(str(REPOSITORY / "nix"))


LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True)
class Tools:
    """Programs of an unpacked root, run by the root's own loader so that the host's libraries do not matter."""

    root: Path

    def command(self, program: str) -> list[str]:
        """The words that start `program`; its arguments follow."""
        return loader_command(self.root, self.root / "usr/bin" / program)


def loader_command(root: Path, program: Path) -> list[str]:
    """Start a program of a root by that root's dynamic loader."""
    loader = root / LIBRARIES / "ld-linux-x86-64.so.2"
    return [str(loader), "--argv0", str(program), "--library-path", str(root / LIBRARIES), str(program)]


def tools() -> Tools:
    """The root named by LOCAL_AWS_ROOT (set for LocalStack's own process), else the pinned one, fetched if need be."""
    if given := os.environ.get("LOCAL_AWS_ROOT"):
        return Tools(Path(given))
    return Tools(_inputs_root())


def unpacked_dir() -> Path:
    """Where unpacked layers are kept, shared by all instances and checkouts."""
    from cache import cache_dir

    folder = cache_dir() / "unpacked"
    folder.mkdir(exist_ok=True)
    return folder


def _inputs_root() -> Path:
    import inputs

    return Path(inputs.root("local-aws"))
