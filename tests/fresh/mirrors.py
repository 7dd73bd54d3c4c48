"""Mirrors of Debian that this host knows, and sources on them for a machine's apt."""

from nix.debian.mirrors import find_last_places, find_places

PLACES = ("mirror", "apt", "host")


def list_mirrors() -> list[str]:
    """List the addresses of pools that this host can ask, each once."""
    results = [place for place in (*find_places(), *find_last_places()) if place.name in PLACES]
    return list(dict.fromkeys(pool.address for place in results for pool in place.pools))


def apt_sources(release: str) -> str:
    """Return sources of a Debian release on these mirrors, in apt's deb822 style."""
    stanzas = []
    for mirror in list_mirrors():
        suites = f"{release}-security" if "security" in mirror else f"{release} {release}-updates"
        stanzas.append(f"Types: deb\nURIs: {mirror}\nSuites: {suites}\nComponents: main\n")
    return "\n".join(stanzas)
