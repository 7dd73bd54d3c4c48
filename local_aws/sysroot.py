"""The sysroot: pinned Debian 13 packages that LocalStack, the registry and bubblewrap run from."""

import os
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = "usr/lib/x86_64-linux-gnu"
PYTHON = "3.13"


@dataclass(frozen=True)
class Sysroot:
    """Programs of an unpacked root, run by its own loader so that the host's libraries do not matter."""

    root: Path

    def command(self, program: str) -> list[str]:
        """Return the command prefix for `program`; its arguments follow."""
        return create_loader_command(self.root, self.root / "usr/bin" / program)

    def python(self) -> list[str]:
        """Return the command prefix for a script that needs the standard library only, whatever this host has."""
        return [*self.command(f"python{PYTHON}"), "-I", "-S"]


def create_loader_command(root: Path, program: Path) -> list[str]:
    """Return the command that runs a program with its root's dynamic loader.

    A program of an older or newer C library than the host's would not start otherwise; `--argv0` keeps its own name.
    """
    loader = root / LIBRARIES / "ld-linux-x86-64.so.2"
    return [str(loader), "--argv0", str(program), "--library-path", str(root / LIBRARIES), str(program)]


def find_sysroot() -> Sysroot:
    """Return the sysroot: LOCAL_AWS_ROOT (set in LocalStack's process), or the pinned one, fetched if necessary."""
    if configured := os.environ.get("LOCAL_AWS_ROOT"):
        return Sysroot(Path(configured))
    return Sysroot(_inputs_root())


def _inputs_root() -> Path:
    from nix import inputs

    return Path(inputs.find_root("local-aws"))
