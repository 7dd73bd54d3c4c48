"""Read the configuration of this host's apt: repositories, snapshot archives, proxies."""

import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator

INDEX = re.compile(r"^'(?P<repository>[^']+?/)(?:dists/(?P<suite>[^']+)/)?(?:\./)?(?:InRelease|Release)'", re.M)
MIRROR_LIST = re.compile(r"mirror(?:\+(?P<scheme>\w+))?:(?P<rest>.*)")
SETTING = re.compile(r'^([\w:.-]+) "([^"]*)";$', re.M)
UNUSABLE = ("cdrom:", "rsh:", "ssh:")
TIMEOUT_S = 10


def list_repositories() -> list[str]:
    """List the base addresses of apt's configured repositories, each once, with a trailing slash.

    Needs neither root, network nor downloaded package lists, and reads one-line and deb822 sources alike. `copy:` and
    `file:` repositories are `file:///` addresses; `mirror:` lists are replaced by the mirrors that they name.
    """
    return list(dict.fromkeys(address for repository, _ in list_suites() for address in expand(repository)))


def list_suites() -> list[tuple[str, str]]:
    """List (repository, suite) as configured; the suite of a flat repository is empty."""
    # `indextargets` prints repositories only after their lists were downloaded, which a fresh container never did.
    printed = capture_output("apt-get", "update", "--print-uris")
    return [(found["repository"], found["suite"] or "") for found in INDEX.finditer(printed)]


def expand(repository: str) -> Iterator[str]:
    """Yield the addresses to fetch from for one configured repository; nothing for a medium such as a CD."""
    if match := MIRROR_LIST.match(repository):
        yield from read_mirror_list(f"{match['scheme'] or 'http'}:{match['rest']}")
    elif repository.startswith(("file:", "copy:")):
        yield "file:///" + repository.partition(":")[2].lstrip("/")
    elif not repository.startswith(UNUSABLE):
        yield repository


def read_mirror_list(address: str) -> Iterator[str]:
    """Yield the mirrors named by a list of apt's `mirror` method; nothing if the list cannot be read.

    `address` is a URL or `file:PATH`. Every address ends with a slash. Waits TIMEOUT_S seconds at most.
    """
    if address.startswith("file:"):
        address = "file:///" + address.partition(":")[2].lstrip("/")
    try:
        with urllib.request.urlopen(address.rstrip("/"), timeout=TIMEOUT_S) as answer:
            lines = answer.read().decode(errors="replace").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        if words := line.partition("#")[0].split():
            yield words[0].rstrip("/") + "/"


def list_snapshot_templates() -> list[str]:
    """List the addresses of Debian's snapshot archives that apt knows (2.8 and newer: also on Ubuntu).

    `@SNAPSHOTID@` stands for the timestamp, `@PATH@` for the archive's name (`debian`, `debian-security`).
    """
    settings = SETTING.findall(capture_output("apt-config", "dump", "Acquire::Snapshots"))
    about_debian = [value for name, value in settings if "debian" in name.lower() and "@SNAPSHOTID@" in value]
    return list(dict.fromkeys(about_debian))


def read_proxies() -> dict[str, str]:
    """Return apt's proxies by scheme. `""` means a direct connection; absent schemes use the environment's proxy."""
    settings = dict(SETTING.findall(capture_output("apt-config", "dump", "Acquire")))
    by_scheme = {scheme: settings.get(f"Acquire::{scheme}::Proxy", "") for scheme in ("http", "https")}
    return {scheme: "" if proxy == "DIRECT" else proxy for scheme, proxy in by_scheme.items() if proxy}


def capture_output(program: str, *words: str) -> str:
    """Return what one of apt's programs prints; empty where it is missing or fails."""
    if shutil.which(program) is None:
        return ""
    return subprocess.run([program, *words], capture_output=True, text=True, errors="replace").stdout
