"""Query apt for the current packages of a Debian release.

apt asks the mirrors that this host knows, whatever release the host runs, and verifies the archive's signature. The
host's own package lists are neither read nor changed.
"""

import os
import re
import shutil
import subprocess
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import OpenerDirector

from nix.cache.folder import create_cache_dir, hold_lock
from nix.cache.input_cache import ensure_folder, write_text
from nix.clients.http_download import READ_S, create_opener
from nix.debian import apt_sources, mirrors
from nix.debian.closure import Candidate, parse_candidates
from nix.pins import InputProblem

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LIVE = ("mirror", "apt")
HEAD_BYTES = 4096
DEBIAN_PATH = re.compile(r"/debian(-security)?/$")
# Read after the host's own settings, for their proxies and credentials.
SETTINGS = """\
#clear APT::Update;
APT::Sandbox::User "root";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
Acquire::Languages "none";
Acquire::IndexTargets::deb {{ Packages {{ DefaultEnabled "true"; }}; }};
Dir::Cache "{folder}/cache";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{folder}/state";
Dir::State::Status "/dev/null";
"""


def release_candidates(release: str) -> dict[str, Candidate]:
    """Return the newest version of every package of a release, its updates and security archive, by name.

    InputProblem if there is no apt here, no mirror has the release, or apt fails.
    """
    if shutil.which("apt-get") is None:
        raise InputProblem(
            "apt-get: not found, expected apt, which verifies Debian's signatures\n"
            "next: run the same command on a host that has apt"
        )
    with hold_lock("apt"):
        folder = ensure_folder(create_cache_dir() / "apt" / release)
        for name in ("cache", "state"):
            ensure_folder(folder / name)
        write_text(folder / "sources.list", "".join(f"{line}\n" for line in list_sources(release)))
        write_text(folder / "apt.conf", SETTINGS.format(folder=folder))
        task = f"reading the packages of {release}"
        run_apt(folder, task, "apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")
        return parse_candidates(run_apt(folder, task, "apt-cache", "dumpavail"))


def list_sources(release: str) -> list[str]:
    """Return the sources of `release`, its updates and security archive on the mirrors that this host knows.

    InputProblem if none of them has the release.
    """
    client = create_opener(apt_sources.read_proxies())
    places = [*mirrors.find_places()]
    addresses = dict.fromkeys(pool.address for place in places if place.name in LIVE for pool in place.pools)
    # The release itself first: if two archives have a version, apt uses the first, and the release keeps it longest.
    suites = [(uri, suite) for suite in name_suites(release) for uri in addresses if is_debian(client, uri, suite)]
    if not suites:
        raise InputProblem(
            f"no mirror that this host knows has Debian {release}: asked {', '.join(addresses) or 'none'}\n"
            "next: export DEBIAN_MIRROR='MAIN SECURITY', a mirror of the main and one of the security archive"
        )
    signed = f" signed-by={KEYRING}" if KEYRING.exists() else ""
    return [f"deb [arch=amd64{signed}] {uri} {suite} main" for uri, suite in suites]


def name_suites(release: str) -> tuple[str, ...]:
    """Name the suites of a release."""
    return (release, f"{release}-security", f"{release}-updates")


def is_debian(client: OpenerDirector, address: str, suite: str) -> bool:
    """Return whether a repository has this suite of Debian's own: others publish suites of the same names.

    Only the first HEAD_BYTES of the suite's InRelease are read; its signature is apt's to verify. False if there is no
    answer.
    """
    try:
        with client.open(f"{address}dists/{suite}/InRelease", timeout=READ_S) as answer:
            return b"\nOrigin: Debian\n" in answer.read(HEAD_BYTES)
    except HTTPError as error:
        # It needs credentials that only apt knows, so the usual path of a Debian mirror is taken as proof.
        return error.code in (401, 403, 407) and DEBIAN_PATH.search(address) is not None
    except (OSError, HTTPException, ValueError):
        return False


def run_apt(folder: Path, task: str, program: str, *words: str) -> str:
    """Run one of apt's programs on the lists in `folder` and return its output; InputProblem with its last errors."""
    command = [program, "-c", str(folder / "apt.conf"), *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode:
        errors = [line.strip() for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
        raise InputProblem(f"{task}: {program} failed" + "".join(f"\n  {line}" for line in errors[-5:]))
    return done.stdout
