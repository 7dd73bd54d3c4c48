"""The report of a failed fetch: the missing inputs, the sources asked, their answers, and remedies."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from nix.command import FULL, TOO_LARGE
from nix.debian import mirrors
from nix.debian.distribution import Distribution, read_distribution
from nix.pins import Deb, Input

# Every source of inputs, in the order in which they are asked. docs/reference/inputs.md has the same lines.
SOURCES = {
    "cache": "the cache",
    "archive": "folders and tar files that ARCHIVE= names",
    "registry": "the registry that ARCHIVE_REGISTRY= names",
    "mirror": "Debian mirrors that DEBIAN_MIRROR= names",
    "apt": "repositories that apt is configured with",
    "index": "the package index that pip is configured with",
    "snapshot": "Debian's snapshot archive",
    "release": "releases of the forge that this clone came from",
    "host": "Debian mirrors that files of this host name",
}
LISTED, SERVERS = 4, 4
# A server that sends a file has it, whatever another one answers: the pin is not superseded.
NOT_STORED = {"no space left on device": FULL, "file too large": TOO_LARGE}
OUT_OF_DATE = ("certificate is not yet valid", "certificate has expired")
# The status of an answer, at the beginning of a reason → what to do about it.
REFUSALS = {
    r"429|5\d\d": (
        "a server is busy, broken, or limits how much one address may ask",
        "next: wait some minutes, then run the same command again",
        "  or: export DEBIAN_MIRROR='MAIN SECURITY', other mirrors; pip config set global.index-url, another index",
    ),
    r"401|403": (
        "a server refuses this host: it requires credentials, or does not serve this network",
        "next: give pip or apt the credentials that the server requires, or ask its operator",
        "  or: export DEBIAN_MIRROR='MAIN SECURITY', other mirrors; pip config set global.index-url, another index",
    ),
}
TWO_MIRRORS = "DEBIAN_MIRROR needs two addresses, of the main and of the security archive"


@dataclass
class Attempts:
    """The failed attempts: (source, server, reason) → the inputs."""

    rows: dict[tuple[str, str, str], set[Input]] = field(default_factory=dict)

    def add(self, source: str, server: str, reason: str, wanted: Iterable[Input]) -> None:
        """Record a reason for some inputs."""
        self.rows.setdefault((source, server, reason), set()).update(wanted)

    def describe(self, wanted: Iterable[Input]) -> dict[tuple[str, str, str], int]:
        """Count how many of these inputs failed for each reason."""
        chosen = set(wanted)
        return {row: len(found & chosen) for row, found in self.rows.items() if found & chosen}


@dataclass(frozen=True)
class Missing:
    """What is missing at the end of a fetch of `total` inputs, and why.

    `notes`: why a source was not asked. `superseded`: packages of which the mirrors have another version.
    `begun`: whether the download had begun.
    """

    wanted: Sequence[Input]
    total: int
    attempts: Attempts
    notes: Mapping[str, str]
    superseded: Sequence[Deb] = ()
    begun: bool = False


def format_report(missing: Missing) -> str:
    """Format the whole report.

    Sources are in the order in which they were asked, remedies last. Many lines, without a newline at the end.
    """
    counts, host = missing.attempts.describe(missing.wanted), read_distribution(mirrors.HOST)
    kept = "what arrived is kept" if missing.begun else "nothing was downloaded"
    lines = [f"cannot fetch {len(missing.wanted)} of {missing.total} inputs; {kept}"]
    lines += [f"  {kind}: {format_names(some)}" for kind, some in split_by_kind(missing.wanted) if some]
    lines.append("asked, in this order:")
    for source, what in SOURCES.items():
        lines += [
            f"  {what}: {row}" for row in format_rows(source, counts) or [missing.notes.get(source, "nothing to ask")]
        ]
    return "\n".join([*lines, f"this host: {host}", *choose_remedies(missing, counts, host)])


def describe_settings(folder: Path) -> dict[str, str]:
    """Return the notes of the sources that need no network; `folder` is the cache."""
    named = {"archive": "ARCHIVE", "registry": "ARCHIVE_REGISTRY"}
    return {
        "cache": f"{folder}: not there",
        **{source: "not there" if os.environ.get(name) else "not set" for source, name in named.items()},
    }


def split_by_kind(wanted: Sequence[Input]) -> list[tuple[str, list[Input]]]:
    """Divide inputs into Debian packages and wheels."""
    debs: list[Input] = [one for one in wanted if isinstance(one, Deb)]
    wheels: list[Input] = [one for one in wanted if not isinstance(one, Deb)]
    return [("Debian packages", debs), ("wheels", wheels)]


def count_inputs(number: int) -> str:
    """Format a number of inputs."""
    return f"{number} input{'s' * (number != 1)}"


def format_names(wanted: Sequence[object]) -> str:
    """Join the first names, and the number of the rest."""
    more = f" and {len(wanted) - LISTED} more" if len(wanted) > LISTED else ""
    return ", ".join(map(str, wanted[:LISTED])) + more


def format_rows(source: str, counts: dict[tuple[str, str, str], int]) -> list[str]:
    """Format the reasons of one source: identical ones once, with a count."""
    rows = [
        (f"{server}: " if server else "") + reason + (f" ({number} inputs)" if number > 1 else "")
        for (where, server, reason), number in counts.items()
        if where == source
    ]
    return rows[:SERVERS] + ([f"and {len(rows) - SERVERS} more reasons"] if len(rows) > SERVERS else [])


def choose_remedies(missing: Missing, counts: dict[tuple[str, str, str], int], host: Distribution) -> list[str]:
    """List the remedies, the most likely first.

    The first cause that explains the answers decides: this host's disk, clock, proxy, certificates, refusals,
    superseded pins, mirrors.
    """
    reasons = {reason for _, _, reason in counts}
    for words, remedy in NOT_STORED.items():
        if any(words in reason.lower() for reason in reasons):
            return ["what the servers sent could not be stored on this host", remedy.strip()]
    if any(word in reason for word in OUT_OF_DATE for reason in reasons):
        return [
            f"a certificate is out of date, or this host's clock is wrong: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "next: set the clock, then run the same command again",
            "  or: if the clock is right, report it to the operator of the server or the proxy",
        ]
    if any("407" in reason for reason in reasons):
        return [
            "the proxy of this network requires a user name and a password",
            "next: export http_proxy=http://USER:PASSWORD@PROXY:PORT https_proxy=http://USER:PASSWORD@PROXY:PORT",
        ]
    if any("certificate" in reason for reason in reasons):
        return [
            "TLS connections on this network are intercepted, or a certificate authority is missing here",
            "next: export SSL_CERT_FILE=/path/to/bundle.pem PIP_CERT=/path/to/bundle.pem",
            "      with the authorities that your network uses, then run the same command again",
        ]
    if refused := [words for status, words in REFUSALS.items() if any(re.match(status, one) for one in reasons)]:
        return [*refused[0], *list_other_ways(host)]
    debs = [one for one in missing.wanted if isinstance(one, Deb)]
    if missing.superseded and not lacks_security(debs):
        moved = " ".join(deb.name for deb in missing.superseded[:LISTED])
        return [
            f"superseded on the mirrors: {format_names(missing.superseded)}",
            f"next: make lock PACKAGE='{moved}' DRY_RUN=1   # print what would move; without DRY_RUN=1 it moves",
            *list_other_ways(host if debs else None),
        ]
    if debs and not is_down(reasons):
        return [TWO_MIRRORS, "next: export DEBIAN_MIRROR='MAIN SECURITY'", *list_other_ways(host)]
    return [
        "next: check the network, and the proxy that apt and pip use (https_proxy), then run the same command again",
        *list_other_ways(host if debs else None),
    ]


def lacks_security(debs: Sequence[Deb]) -> bool:
    """Return whether DEBIAN_MIRROR names one mirror only, and packages of the security archive are missing."""
    return len(os.environ.get("DEBIAN_MIRROR", "").split()) == 1 and any("/updates/" in deb.pool_path for deb in debs)


def is_down(reasons: set[str]) -> bool:
    """Return whether every reason is that a server could not be reached."""
    words = ("refused", "unreachable", "host name", "timed out", "No route")
    return bool(reasons) and all(any(word in reason for word in words) for reason in reasons)


def list_other_ways(host: Distribution | None) -> list[str]:
    """List the other remedies; those for Debian packages only if `host` is given."""
    install = host.install if host and not host.is_debian else None
    package = [f"  or: {install}   # it names Debian's mirrors"] if install else []
    return [
        *package,
        "  or: export ARCHIVE=FOLDER, which `make archive ARCHIVE=FOLDER` wrote on another machine",
    ]
