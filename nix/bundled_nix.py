"""The Nix to build with: the host's, or Debian's from a pinned root, with a store in the cache and without root."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from nix import inputs
from nix.cache.folder import create_cache_dir

TOOLS = ("nix", "nix-store", "nix-build", "nix-instantiate", "nix-daemon")
SETTINGS = """\
experimental-features = nix-command flakes
sandbox = false
build-users-group =
substituters =
max-jobs = auto
accept-flake-config = false
"""


@dataclass(frozen=True)
class Nix:
    """A Nix installation: how its tools are started, their environment, and the folder of garbage collection roots."""

    name: str
    roots: Path
    loader: tuple[str, ...] = ()
    folder: Path | None = None
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def create_command(self, tool: str) -> list[str]:
        """Return the command that starts a tool."""
        options = ["--extra-experimental-features", "nix-command flakes"] if tool == "nix" and not self.loader else []
        return [str(self.folder / tool) if self.folder else tool, *options]


def find_host_nix() -> Nix | None:
    """Return the host's Nix; None if it has none."""
    executable = shutil.which("nix")
    return (
        Nix(f"the host's, {executable}", create_cache_dir() / "nix-roots")
        if executable and shutil.which("nix-store")
        else None
    )


def install_nix() -> Nix:
    """Return the Nix in the pinned root `nix`, unpacked and configured first if it is not cached.

    Nix runs itself again for its build hook, by its own path, which would be ld.so's. Hence each tool is a script in
    `NIX_BIN_DIR` that starts it through ld.so.
    """
    root, home = inputs.find_root("nix"), create_cache_dir() / "nix"
    library = root / "usr/lib/x86_64-linux-gnu"
    loader = (str(library / "ld-linux-x86-64.so.2"), "--library-path", str(library))
    folders = {name: home / name for name in ("bin", "conf", "home", "log", "roots", "state", "store")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    write(folders["conf"] / "nix.conf", SETTINGS, 0o644)
    for tool in TOOLS:
        script = (
            f"#!/bin/sh\nexec '{loader[0]}' --argv0 {tool} --library-path '{library}' '{root}/usr/bin/nix' \"$@\"\n"
        )
        write(folders["bin"] / tool, script, 0o755)
    variables = {
        "HOME": str(folders["home"]),
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C.UTF-8",
        "NIX_BIN_DIR": str(folders["bin"]),
        "NIX_CONF_DIR": str(folders["conf"]),
        "NIX_LOG_DIR": str(folders["log"]),
        "NIX_STATE_DIR": str(folders["state"]),
        "NIX_STORE_DIR": str(folders["store"]),
        "NIX_REMOTE": "local",
    }
    return Nix("the project's own, 2.26.3", folders["roots"], loader, folders["bin"], variables)


def write(path: Path, text: str, mode: int) -> None:
    """Write a file atomically, unless it has this text already."""
    if path.exists() and path.read_text() == text:
        return
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.chmod(mode)
    part.replace(path)
