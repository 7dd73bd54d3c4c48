"""The places where this host can ask for pinned Debian packages, in order, each a list of pools.

No address is written here: DEBIAN_MIRROR, apt's configuration and files of the host name them.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nix.debian import apt_sources
from nix.pins import Deb

HOST = Path("/")
APT_HELPER = Path("/usr/lib/apt/apt-helper")
SNAPSHOT_ID, SNAPSHOT_PATH = "@SNAPSHOTID@", "@PATH@"
ARCHIVES = ("debian", "debian-security")
# Files that name a mirror of Debian on other distributions: python-apt's on Ubuntu, and debootstrap's anywhere.
NAMING_FILES = ("usr/share/python-apt/templates/Debian.info", "usr/sbin/debootstrap", "usr/bin/debootstrap")
# Debian and every distribution made from it (Ubuntu, Mint, …) name Debian's own domain in this file.
VENDOR_FILE = "etc/dpkg/origins/debian"
ADDRESS = re.compile(r"https?://[^\s\"'/{}$]+/debian(?:-security)?(?=[/\"'\s]|$)", re.M)
VENDOR = re.compile(r"^Vendor-URL:\s*https?://(?:www\.)?([^\s/]+)", re.M)
POOLS = ("pool/main/", "pool/updates/main/")


@dataclass(frozen=True)
class Pool:
    """The folder of an archive that holds `pool/`; `address` ends with a slash and may hold a snapshot's placeholder.

    `by_apt`: apt's own downloader may reach it where we cannot, with apt's credentials and certificates.
    """

    address: str
    by_apt: bool = False

    def list_addresses(self, path: str, snapshots: Iterable[str]) -> list[str]:
        """List the addresses of a pool path: one, or one for each snapshot timestamp."""
        if SNAPSHOT_ID not in self.address:
            return [self.address + path]
        return [self.address.replace(SNAPSHOT_ID, snapshot) + path for snapshot in snapshots]


@dataclass(frozen=True)
class Place:
    """Pools of one origin, in the order in which they are asked; `name` is a key of `fetch_report.SOURCES`.

    `note` says why there are none.
    """

    name: str
    pools: tuple[Pool, ...]
    note: str


def find_places() -> Iterator[Place]:
    """Yield the places before the releases of this clone's forge, in order; each is looked up when it is reached.

    DEBIAN_MIRROR comes first, then apt, then snapshot archives. A place without pools is yielded too, with its reason.
    """
    words = os.environ.get("DEBIAN_MIRROR", "").split()
    named = [("file://" if word.startswith("/") else "") + word.rstrip("/") + "/" for word in words]
    yield Place("mirror", create_pools(with_security(named)), "not set")
    configured = apt_sources.list_repositories()
    by_apt = APT_HELPER.exists()
    yield Place(
        "apt", create_pools(with_security(configured), by_apt=by_apt), "apt has none" if by_apt else "no apt here"
    )
    snapshots = list_apt_snapshots() + list_snapshots_beside([*named, *configured])
    yield Place("snapshot", create_pools(snapshots), "nothing on this host names it")


def find_last_places() -> Iterator[Place]:
    """Yield the place after the releases: mirrors that files of the host name, and the snapshots beside them."""
    known = list_known_mirrors()
    yield Place("host", create_pools(with_security(known) + list_snapshots_beside(known)), "none")


def create_pools(addresses: Iterable[str], *, by_apt: bool = False) -> tuple[Pool, ...]:
    """Make pools of addresses, each once."""
    return tuple(Pool(address, by_apt) for address in dict.fromkeys(addresses))


def list_pool_paths(deb: Deb) -> list[str]:
    """List the pool paths of a package: the pinned one first, then that of the other archive.

    A security update keeps its bytes and moves from the security archive to the main one with the next point release.
    """
    for here, there in (POOLS, POOLS[::-1]):
        if deb.pool_path.startswith(here):
            return [deb.pool_path, there + deb.pool_path.removeprefix(here)]
    return [deb.pool_path]


def with_security(addresses: Iterable[str]) -> list[str]:
    """Append the security archive that a mirror of the main archive often has beside it."""
    listed = list(addresses)
    beside = [f"{one.rstrip('/')}-security/" for one in listed if one.rstrip("/").endswith("/debian")]
    return list(dict.fromkeys([*listed, *beside]))


def list_apt_snapshots() -> list[str]:
    """List the snapshot archives that apt names, with the archive's name filled in."""
    return [text.replace(SNAPSHOT_PATH, path) for text in apt_sources.list_snapshot_templates() for path in ARCHIVES]


def list_snapshots_beside(mirrors: Iterable[str]) -> list[str]:
    """List the snapshot archives in the domains of Debian's own mirrors; other mirrors have none to derive.

    An address for each of ARCHIVES, without duplicates. Nothing is asked: an address may not exist.
    """
    services = []
    for address in mirrors:
        parts = urlsplit(address)
        labels = (parts.hostname or "").split(".")
        if len(labels) > 2 and labels[-2] == "debian":
            host = ".".join(["snapshot", *labels[-2:]]) + (f":{parts.port}" if parts.port else "")
            services += [f"{parts.scheme}://{host}/archive/{path}/{SNAPSHOT_ID}/" for path in ARCHIVES]
    return list(dict.fromkeys(services))


def list_known_mirrors() -> list[str]:
    """List the mirrors of Debian that files of this host name, each with a trailing slash."""
    program = shutil.which("debootstrap") if Path("/") == HOST else None
    texts = [read_text(HOST / name) for name in NAMING_FILES] + ([read_text(Path(program))] if program else [])
    addresses = [f"{address}/" for text in texts for address in ADDRESS.findall(text)]
    if vendor := VENDOR.search(read_text(HOST / VENDOR_FILE)):
        addresses.append(f"http://deb.{vendor[1]}/debian/")  # the name under which Debian's mirrors answer together
    return list(dict.fromkeys(addresses))


def read_text(path: Path) -> str:
    """Return the text of a file of the host; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
