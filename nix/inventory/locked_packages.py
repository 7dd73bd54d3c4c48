"""List every package that a lock pins, by ecosystem, to look it up in advisories."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from nix import pins
from nix.debian.closure import read_wanted

PYPI = "PyPI"
RELEASES = {"bookworm": "Debian:12", "trixie": "Debian:13"}
# Use → the lock of its Python packages, and the group of its Debian packages.
USES = {
    "image": ("image-wheels", "image"),
    "local-aws": ("local-aws", "local-aws"),
    "development": ("development", None),
    "infrastructure": ("infrastructure", None),
    "build": ("build", None),
    "uv": ("uv", None),
    "nix": (None, "nix"),
}
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s\\;]+)", re.M)
REBUILD = re.compile(r"\+b\d+$")  # a binary rebuild of the same source version


@dataclass(frozen=True, order=True)
class Package:
    """A pinned package. In Debian, advisories are about `name`, the source package, of which `binary` was built."""

    ecosystem: str
    name: str
    version: str
    use: str
    binary: str = ""

    @property
    def is_debian(self) -> bool:
        """Whether this is a Debian package."""
        return self.ecosystem != PYPI


def list_locked_packages(uses: Sequence[str] = tuple(USES)) -> list[Package]:
    """List the packages pinned for these uses, sorted."""
    return sorted({package for use in uses for package in list_packages(use)})


def list_packages(use: str) -> Iterator[Package]:
    """Yield the packages pinned for one use.

    Debian's are named by their source package, as its advisories are, and keep the binary package's name beside it.
    Rebuilds' suffixes are cut off, since advisories name the source's version.
    """
    python, group = USES[use]
    if python:
        for name, version in PINNED.findall((pins.LOCKS / f"{python}.lock").read_text(encoding="utf-8")):
            yield Package(PYPI, canonicalize_name(name), version, use)
    if group:
        release = read_wanted(pins.LOCKS / f"{pins.DEBS[group]}.in").release
        for deb in pins.read_deb_lock(group).debs:
            source = deb.pool_path.split("/")[-2]
            version = REBUILD.sub("", deb.version)
            yield Package(RELEASES.get(release, f"Debian:{release}"), source, version, use, deb.name)
