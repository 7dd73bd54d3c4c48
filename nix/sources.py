"""Where inputs come from. Each source takes what it can, checked by hash, into the cache; the next gets what is left.

No address is known here: apt's sources (or DEBIAN_MIRROR) and pip's configuration say where files come from.
"""

import http.client
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import vault
from pins import Deb, Input, Wheel
from tools import Tools

from environments import pip

APT_HELPER = Path("/usr/lib/apt/apt-helper")
PLATFORMS = ("2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2014", "2_12", "2010", "2_5", "1")
SHARES = 4  # pip works on one processor and waits for the network in between
AT_ONCE = 8
TIMEOUT_S = 60
Reasons = dict[Input, str]
"""Why an input could not be had from a source, in that source's own words."""


def from_folders(lack: Sequence[Input], folders: Sequence[Path], work: Path) -> None:
    """Copy what lies in these folders under any name: files are known by size and hash, archives' blobs too."""
    by_size: dict[int, list[Input]] = {}
    for one in lack:
        by_size.setdefault(one.size, []).append(one)
    for path in _files(folders):
        for one in by_size.get(path.stat().st_size, ()):
            if vault.sha256(path) == one.sha256:
                copy = work / one.file_name
                shutil.copyfile(path, copy)
                vault.take_checked(copy, one)


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def mirrors() -> list[str]:
    """What stands before a pool path: DEBIAN_MIRROR's addresses, or those of apt's sources, each with a slash."""
    if given := os.environ.get("DEBIAN_MIRROR"):
        return [address.rstrip("/") + "/" for address in given.split()]
    if shutil.which("apt-get") is None:
        return []
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True)
    return sorted(set(told.stdout.split()))


def from_mirrors(debs: Sequence[Deb], work: Path, tools: Tools) -> Reasons:
    """Fetch packages by their pool paths from the configured mirrors."""
    roots = mirrors()
    if not roots:
        return dict.fromkeys(debs, "no apt on this host, and DEBIAN_MIRROR is not set")
    folder = vault.made(work / "debs")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reasons = list(pool.map(lambda deb: _from_first(deb, roots, folder, tools), debs))
    return {deb: reason for deb, reason in zip(debs, reasons, strict=True) if reason}


def _from_first(deb: Deb, roots: Iterable[str], folder: Path, tools: Tools) -> str:
    """Take a package from the first mirror that has it; else say why none did."""
    path, reason = folder / deb.file_name, ""
    for root in roots:
        # apt's own downloader knows the proxies and passwords that apt is configured with.
        own = APT_HELPER.exists() and "DEBIAN_MIRROR" not in os.environ
        said = _by_apt(root + deb.pool_path, path, tools) if own else _by_http(root + deb.pool_path, path)
        if path.exists():
            wrong = vault.mismatch(deb, path)
            if wrong is None:
                vault.take(path, deb)
                return ""
            path.unlink()
            said = wrong
        reason = said or reason
    return f"no configured mirror has {deb.pool_path}: {reason}"


def _by_apt(address: str, path: Path, tools: Tools) -> str:
    done = tools.run([APT_HELPER, "-qq", "download-file", address, path])
    return "" if done.returncode == 0 else (_last(done.stderr) or f"apt-helper ended with {done.returncode}")


def _by_http(address: str, path: Path) -> str:
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:  # the last: DEBIAN_MIRROR holds no address
        path.unlink(missing_ok=True)
        return str(getattr(error, "reason", error)) or type(error).__name__
    return ""


def from_pip(wheels: Sequence[Wheel], work: Path, tools: Tools) -> Reasons:
    """Fetch wheels by pip, which checks their hashes: in shares at once, then each that is left by itself."""
    shares = _shares(wheels)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        numbered = list(enumerate(shares))
        said = list(pool.map(lambda one: _download(one[1], work / f"share-{one[0]}", tools), numbered))
        left = [wheel for wheel in wheels if not vault.place(wheel).exists()]
        if not left or len(left) == len(wheels):  # all arrived, or nothing can
            return {wheel: next(filter(None, said), "pip gave no reason") for wheel in left}
        alone = pool.map(lambda wheel: _download([wheel], work / wheel.name, tools), left)
        return {wheel: reason for wheel, reason in zip(left, alone, strict=True) if not vault.place(wheel).exists()}


def _shares(wheels: Sequence[Wheel]) -> list[list[Wheel]]:
    """The wheels in groups of about the same size."""
    shares: list[list[Wheel]] = [[] for _ in range(min(SHARES, len(wheels)))]
    for wheel in sorted(wheels, key=lambda one: -one.size):
        min(shares, key=lambda share: sum(one.size for one in share)).append(wheel)
    return shares


def _download(wheels: Sequence[Wheel], folder: Path, tools: Tools) -> str:
    """Let pip download these, and take what arrived; the last error that it told, if any."""
    pinned = [f"{one.name}=={one.version} --hash=sha256:{one.sha256}" for one in wheels]
    found, said = download(pinned, folder, tools)
    by_digest = {wheel.sha256: wheel for wheel in wheels}
    for path in found:
        if wheel := by_digest.get(vault.sha256(path)):
            vault.take(path, wheel)
    return said


def download(pinned: Sequence[str], folder: Path, tools: Tools) -> tuple[list[Path], str]:
    """Let pip download the wheels that fit the image; what arrived, and the last error that it told, if any."""
    listed = vault.made(folder) / "requirements.txt"
    listed.write_text("".join(f"{one}\n" for one in pinned))
    done = tools.run([*pip(), "download", *_flags(), "-d", folder / "wheels", "-r", listed], TMPDIR=str(folder))
    return sorted((folder / "wheels").glob("*.whl")), _last(done.stderr) if done.returncode else ""


def _flags() -> list[str]:
    tags = [word for tag in PLATFORMS for word in ("--platform", f"manylinux{'_' if '_' in tag else ''}{tag}_x86_64")]
    abis = [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    only = ["-q", "--require-hashes", "--only-binary", ":all:", "--no-deps", "--retries", "2"]
    return [*only, "--implementation", "cp", "--python-version", "3.11", *abis, *tags]


def _last(text: str) -> str:
    """The last line that reports an error, without its mark."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR:", "E:"))] or lines
    return errors[-1].removeprefix("ERROR:").removeprefix("E:").strip() if errors else ""
