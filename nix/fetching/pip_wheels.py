"""Fetch wheels with pip, from the index that pip is configured with, verified against the hashes in the lock."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nix.cache import input_cache
from nix.clients.package_clients import find_pip
from nix.clients.subprocesses import Subprocesses
from nix.pins import Wheel

PLATFORMS = ("2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2014", "2_12", "2010", "2_5", "1")
PROBES = 2  # of the index, because a failure may be temporary
SHARES = 4  # pip uses one processor, and waits for the network in between
AT_ONCE = 8
COPIES = "wheels"  # the folder in which pip puts copies of its downloads
# pip's last line is "no matching distribution" whatever the cause, which is in the warnings before it.
CAUSES = (
    (r"CERTIFICATE_VERIFY_FAILED[^:]*: ([^()\n]+)", r"certificate verify failed: \1"),
    (r"Connection refused", "connection refused"),
    (r"Name or service not known|Temporary failure in name resolution|getaddrinfo failed", "host name not found"),
    (r"Network is unreachable", "network is unreachable"),
    (r"Tunnel connection failed: (\d\d\d [^'\"\n]+)", r"\1"),
    (r"(?:Read|Connect)TimeoutError|timed out", "timed out"),
    (r"\b([45]\d\d) (?:Client|Server) Error: ([^:\n]+?) for url", r"\1 \2"),
    (r"too many (\d\d\d) error responses", r"\1 repeatedly"),
    (r"^(?:pip\S*|requests)\.exceptions\.\w+: ([^\n]+)", r"\1"),
    (r"No space left on device", "no space left on device"),
)


def fetch_wheels(wheels: Sequence[Wheel], work: Path, running: Subprocesses) -> dict[Wheel, str]:
    """Download wheels into the cache, in parallel shares, then one by one; return the reason for each that failed.

    `work` is on the cache's file system. If none of them arrives, none is tried alone: the index is then the cause.
    """
    shares = list(enumerate(in_shares(wheels)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reasons = list(pool.map(lambda share: fetch_share(share[1], work / f"share-{share[0]}", running), shares))
        left = [wheel for wheel in wheels if not input_cache.locate_input(wheel).exists()]
        if not left or len(left) == len(wheels):  # all arrived, or nothing can
            return {wheel: next(filter(None, reasons), "pip gave no reason") for wheel in left}
        alone = list(pool.map(lambda wheel: fetch_share([wheel], work / wheel.name, running), left))
    pairs = zip(left, alone, strict=True)
    return {wheel: reason for wheel, reason in pairs if not input_cache.locate_input(wheel).exists()}


def probe(wheel: Wheel, work: Path, running: Subprocesses) -> str:
    """Fetch one wheel into the cache to probe the index; return the reason if that fails, else an empty string.

    Without retries, because pip would wait as long as a busy index asks, which may be minutes; and verbose, because pip
    must print the index's answer.
    """
    reason = ""
    for number in range(PROBES):
        reason = fetch_share([wheel], work / f"probe-{number}", running, "--retries", "0", "-vvv")
        if input_cache.locate_input(wheel).exists():
            return ""
    return reason or "pip gave no reason"


def in_shares(wheels: Sequence[Wheel]) -> list[list[Wheel]]:
    """Divide wheels into groups of about the same size in bytes."""
    shares: list[list[Wheel]] = [[] for _ in range(min(SHARES, len(wheels)))]
    for wheel in sorted(wheels, key=lambda one: -one.size):
        min(shares, key=lambda share: sum(one.size for one in share)).append(wheel)
    return shares


def fetch_share(wheels: Sequence[Wheel], folder: Path, running: Subprocesses, *options: str) -> str:
    """Download wheels with one pip and store those that arrive; return the reason if it fails, else an empty string.

    pip fails for the whole share if one is missing; those that arrived are stored all the same. Wheels are recognized
    by their hash, whatever their names.
    """
    pinned = [f"{one.name}=={one.version} --hash=sha256:{one.sha256}" for one in wheels]
    fetched, reason = download(pinned, folder, running, *options)
    by_digest = {wheel.sha256: wheel for wheel in wheels}
    for path in fetched:
        if wheel := by_digest.get(input_cache.hash_file(path)):
            input_cache.store(path, wheel)
    return reason


def download(pinned: Sequence[str], folder: Path, running: Subprocesses, *options: str) -> tuple[list[Path], str]:
    """Download the wheels that fit the image for lines of a requirements file.

    Returns the files that arrived, and the reason if pip failed, else an empty string. pip installs and runs nothing.
    """
    listed = input_cache.ensure_folder(folder) / "requirements.txt"
    listed.write_text("".join(f"{one}\n" for one in pinned))
    done = running.run(
        [*find_pip(), "download", *list_flags(), "-d", folder / COPIES, "-r", listed, *options], TMPDIR=str(folder)
    )
    return sorted((folder / COPIES).glob("*.whl")), find_cause(done.stdout + done.stderr) if done.returncode else ""


def list_flags() -> list[str]:
    """Return the options that limit pip to hashed wheels for the image's Python and platform."""
    tags = [word for tag in PLATFORMS for word in ("--platform", f"manylinux{'_' if '_' in tag else ''}{tag}_x86_64")]
    abis = [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    only = ["-q", "--require-hashes", "--only-binary", ":all:", "--no-deps", "--retries", "2"]
    return [*only, "--implementation", "cp", "--python-version", "3.11", *abis, *tags]


def find_cause(text: str) -> str:
    """Find the cause in pip's output: a network failure that it mentions, else its last error or line."""
    for pattern, reason in CAUSES:
        if match := re.search(pattern, text, re.M):
            return match.expand(reason).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    return errors[-1].removeprefix("ERROR:").strip() if errors else ""
