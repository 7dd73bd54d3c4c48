"""The machines: roots, and what distinguishes their /etc."""

from tests.fresh.mirrors import apt_sources
from tests.fresh.roots import Root

APT = ("usr/bin/apt*", "usr/lib/apt", "usr/lib/*/libapt-*", "etc/apt", "usr/bin/dpkg*", "var/lib/dpkg", "etc/dpkg")
DEBIAN12, DEBIAN13 = Root(("fresh-debian12",)), Root(("fresh-debian13",))
FEDORA = Root(("fresh-debian12",), without=APT)
TWO_PYTHONS = Root(("fresh-debian12", "fresh-python39"), links=(("usr/bin/python3", "python3.9"),))
NO_VENV = Root(("fresh-debian12",), without=("usr/lib/python3.11/ensurepip", "usr/share/python-wheels"))


def os_release(name: str, identifier: str, like: str = "") -> str:
    """Return the text of /etc/os-release."""
    return f'PRETTY_NAME="{name}"\nID={identifier}\n' + (f"ID_LIKE={like}\n" if like else "")


def debian(release: str, number: int) -> dict[str, str]:
    """Return what a Debian's /etc says: its name, and sources on the mirrors that this host knows."""
    name = os_release(f"Debian GNU/Linux {number} ({release})", "debian")
    return {"os-release": name, "apt/sources.list.d/debian.sources": apt_sources(release)}


def ubuntu(archive: str) -> dict[str, str]:
    """Return what an Ubuntu's /etc says whose sources are all at one address."""
    sources = f"Types: deb\nURIs: {archive}/ubuntu/\nSuites: noble noble-updates noble-security\nComponents: main\n"
    name = os_release("Ubuntu 24.04.3 LTS", "ubuntu", "debian")
    return {"os-release": name, "apt/sources.list.d/ubuntu.sources": sources}


def fedora() -> dict[str, str]:
    """Return what a Fedora's /etc says."""
    return {"os-release": os_release("Fedora Linux 43 (Container Image)", "fedora")}
