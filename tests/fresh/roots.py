"""Root file systems of machines that never saw the project, made of pinned Debian packages."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from nix import inputs, pins
from nix.cache.folder import create_cache_dir, hold_lock, in_use
from nix.cache.workspace import workspace
from nix.clients.package_clients import compute_key

KIND = "machines"
# What a package's installation script, which the unpacker does not run, would have made.
LINKS = {"usr/bin/sh": "dash", "usr/bin/awk": "mawk"}
FOLDERS = ("usr/local/bin", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg")
FILES = ("var/lib/dpkg/status",)


@dataclass(frozen=True)
class Root:
    """Groups of locks, unpacked over each other; `without`: globs of paths removed again; `links`: path → target."""

    groups: tuple[str, ...]
    without: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        """Return where the root lies in the cache once it is made."""
        locks = [pins.read_deb_lock(group).root for group in self.groups]
        return create_cache_dir() / KIND / compute_key(locks, self.without, self.links, Path(__file__).read_bytes())


def ensure(root: Root) -> Path:
    """Return the folder of a root, made if absent. InputProblem when its packages cannot be fetched."""
    folder = root.folder
    if folder.exists():
        return folder
    unpacked = [inputs.find_root(group) for group in root.groups]
    with in_use(), hold_lock(folder.name), workspace() as work:
        if not folder.exists():
            for path in unpacked:
                link_tree(path, work / "root")
            finish(work / "root", root)
            folder.parent.mkdir(exist_ok=True)
            (work / "root").rename(folder)
    return folder


def link_tree(source: Path, target: Path) -> None:
    """Add a root to another as hard links; a path of both is kept, as the links of every merged /usr are."""

    def present(folder: str, names: list[str]) -> list[str]:
        place = target / Path(folder).relative_to(source)
        return [name for name in names if (place / name).is_symlink() or (place / name).is_file()]

    shutil.copytree(source, target, symlinks=True, ignore=present, copy_function=os.link, dirs_exist_ok=True)


def finish(folder: Path, root: Root) -> None:
    """Remove and add what distinguishes the machine from its packages."""
    for pattern in root.without:
        for path in sorted(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / name).touch()
    for name, target in {**LINKS, **dict(root.links)}.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
