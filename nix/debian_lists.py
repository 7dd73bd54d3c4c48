"""What a Debian release holds now, asked of apt.

apt asks the mirrors that it is configured with, whatever release the host itself runs, and checks the archive's
signature. Nothing of the host's own state is read or changed.
"""

import os
import shutil
import subprocess
from pathlib import Path

from cache import cache_dir, locked
from debian_closure import Candidate, candidates
from pins import InputProblem
from vault import made, write

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TARGETS = "$(ORIGIN)\t$(REPO_URI)\t$(CODENAME)"
# Read after the host's own settings, which know its proxies and passwords.
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
    """The newest version of every package of a release, its updates and security archive, by name."""
    if shutil.which("apt-get") is None:
        raise InputProblem(
            "apt-get is not on this host; Debian's pins move only on one with apt (and Debian's mirrors)"
        )
    with locked("apt"):
        folder = made(cache_dir() / "apt" / release)
        for name in ("cache", "state"):
            made(folder / name)
        write(folder / "sources.list", "".join(f"{line}\n" for line in source_lines(release)))
        write(folder / "apt.conf", SETTINGS.format(folder=folder))
        ask(folder, f"reading what {release} holds", "apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")
        return candidates(ask(folder, f"reading what {release} holds", "apt-cache", "dumpavail"))


def source_lines(release: str) -> list[str]:
    """Sources of `release` on the mirrors of Debian that apt is configured with."""
    told = subprocess.run(["apt-get", "indextargets", "--format", TARGETS], capture_output=True, text=True).stdout
    rows = {tuple(line.split("\t")) for line in told.splitlines()}
    # The release itself first: of one version in two archives apt takes the first, and the release's stays longest.
    kinds = sorted({(codename.partition("-")[2], uri) for origin, uri, codename in rows if origin == "Debian"})
    if not kinds:
        raise InputProblem(
            "apt is configured with no mirror of Debian, or has no lists yet\n"
            "next: apt-get update; or move the pins on a Debian host"
        )
    signed = f" signed-by={KEYRING}" if KEYRING.exists() else ""
    suites = [(uri, f"{release}-{kind}" if kind else release) for kind, uri in kinds]
    return [f"deb [arch=amd64{signed}] {uri} {suite} main" for uri, suite in suites]


def ask(folder: Path, doing: str, program: str, *words: str) -> str:
    """Run one of apt's programs on our own lists; InputProblem with its last errors."""
    command = [program, "-c", str(folder / "apt.conf"), *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode:
        errors = [line.strip() for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
        raise InputProblem(f"{doing}: {program} failed" + "".join(f"\n  {line}" for line in errors[-5:]))
    return done.stdout
