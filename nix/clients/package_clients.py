"""Find, configure and run the package clients pip and uv. Standard library only.

pip is the host's own, uv is pinned and fetched by pip. Both reach the package index as pip's configuration says.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from nix.cache.folder import create_cache_dir, hold_lock
from nix.cache.workspace import workspace
from nix.clients.progress import show_progress
from nix.pins import LOCKS


class EnvironmentProblem(Exception):
    """Raised if an environment cannot be created or a package client fails; the message ends with the next step."""


def compute_key(*parts: object) -> str:
    """Return a cache key: 16 hexadecimal digits of a hash of `parts`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


# Variables that configure how packages are reached are kept. These would change which packages are installed, or where,
# or stop the client: the lock and the folder passed to it decide that.
OPTIONS_OF_PIP = "CONSTRAINT DRY_RUN NO_BINARY PLATFORM PREFIX PYTHON ROOT TARGET"
OPTIONS_OF_UV = (
    "BUILD_CONSTRAINT COMPILE_BYTECODE CONFIG_FILE CONSTRAINT EXCLUDE_NEWER LINK_MODE NO_BINARY NO_BUILD OVERRIDE "
    "PYTHON SYSTEM_PYTHON"
)
DROPPED = {f"PIP_{name}" for name in OPTIONS_OF_PIP.split()} | {f"UV_{name}" for name in OPTIONS_OF_UV.split()}
# pip's files can set these too, so they are overridden rather than removed.
OVERRIDDEN = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}


def create_client_environment(**variables: str) -> dict[str, str]:
    """Return a package client's environment: the caller's, without settings that change the result, and `variables`.

    Variables of Python itself (`PYTHON*`) are dropped too.
    """
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED and not name.startswith("PYTHON")}
    return {**kept, **OVERRIDDEN, **variables}


def run(command: list[str | Path], what: str, **variables: str) -> str:
    """Run a command to its end and return its standard output.

    Raises EnvironmentProblem, with the command's last lines and the next step, if it fails. `what` names the work.
    """
    words = [str(word) for word in command]
    done = subprocess.run(
        words, env=create_client_environment(**variables), text=True, capture_output=True, errors="replace"
    )
    check(done.returncode, done.stderr.strip() or done.stdout.strip(), what)
    return done.stdout


def install(command: list[str | Path], what: str, **variables: str) -> None:
    """Run a uv command that installs packages, first from uv's cache alone, then with the index and a progress bar.

    Everything is pinned by hash, so that both install the same. Raises as `run` does.
    """
    # With the index, uv revalidates the page of every package, cached or not: a second checkout would need a network.
    with contextlib.suppress(EnvironmentProblem):
        run(command, what, **variables, UV_OFFLINE="1")
        return
    downloads, lines = Downloads(), list[str]()
    with (
        subprocess.Popen(
            [str(word) for word in command],
            env=create_client_environment(**variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process,
        show_progress(lambda: downloads.total, lambda: downloads.done),
    ):
        for line in process.stderr or ():
            downloads.read(line)
            lines.append(line)
    check(process.returncode, "".join(lines).strip(), what)


class Downloads:
    """The downloads that uv reports in its output. It reports those of a megabyte or more, all at its start."""

    UNITS: ClassVar = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

    def __init__(self) -> None:
        self._sizes: dict[str, float] = {}
        self._finished: set[str] = set()

    def read(self, line: str) -> None:
        """Parse one line of uv's output."""
        match line.split():
            case ["Downloading", name, size]:
                number, unit = size[1:-4], size[-4:-1]
                self._sizes[name] = float(number) * self.UNITS[unit]
            case ["Downloaded", name]:
                self._finished.add(name)

    @property
    def total(self) -> int:
        """Bytes of all downloads."""
        return int(sum(self._sizes.values()))

    @property
    def done(self) -> int:
        """Bytes of the finished downloads."""
        return int(sum(size for name, size in self._sizes.items() if name in self._finished))


def check(status: int, output: str, what: str) -> None:
    """Raise EnvironmentProblem for a command that exited with a `status` other than 0."""
    if status:
        last = output.splitlines()[-12:]
        raise EnvironmentProblem(
            f"{what}: exit code {status}:\n  " + "\n  ".join(last) + f"\nnext: {choose_remedy(' '.join(last))}"
        )


# A pattern in the client's output → the next step. The first that matches applies.
REMEDIES = (
    (
        r"No space left|os error 28",
        "free disk space where the cache and this checkout are, and run the same command again",
    ),
    (
        r"[Hh]ash mismatch|DO NOT MATCH",
        "point pip at an index that has the locked file, or move the pin (make lock): the configured index serves "
        "another file under that name, and nothing was installed",
    ),
    (
        r"ensurepip|No module named venv",
        "install the venv package of this Python (Debian, Ubuntu: sudo apt-get install python3-venv)",
    ),
    (r"network was disabled", "unset UV_OFFLINE, and run the same command again"),
    (
        r"No solution found",
        "loosen what the .in asks for, or try again later: a version published this minute may not be on every mirror",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|(?i:certificate|UnknownIssuer)",
        "name the authority that signs for this network (a proxy may be inspecting TLS): "
        "pip config set global.cert /path/to/ca.pem",
    ),
    (
        r"(?i)connect|network|timed? ?out|dns|tunnel|request|resol",
        "check the network, and that pip's configuration (pip config list) names an index that answers; "
        "finished downloads are kept",
    ),
    (r"", "run the same command again; finished downloads are kept"),
)


def choose_remedy(output: str) -> str:
    """Return the next step after a package client failed with this output."""
    return next(step for pattern, step in REMEDIES if re.search(pattern, output))


def find_base_python() -> str:
    """Return the path of the interpreter that this process, or its virtual environment, is based on."""
    base = Path(sys.base_exec_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(base) if base.exists() else sys.executable


def find_pip() -> list[str | Path]:
    """Return a command that runs pip: the host's own, or one in a virtual environment kept in the cache.

    Thread-safe, and safe with other processes. The environment is made once for each Python; EnvironmentProblem if
    this Python has neither pip nor ensurepip.
    """
    base = find_base_python()
    if (
        subprocess.run(
            [base, "-m", "pip", "--version"], env=create_client_environment(), capture_output=True
        ).returncode
        == 0
    ):
        return [base, "-m", "pip"]
    folder = create_cache_dir() / "pip" / compute_key(sys.version, base)
    if not folder.exists():
        with hold_lock("pip"), workspace() as work:  # several threads may ask for it at once
            if not folder.exists():
                run([base, "-m", "venv", work / "venv"], "create a virtual environment with pip")
                folder.parent.mkdir(exist_ok=True)
                (work / "venv").rename(folder)
    return [folder / "bin/python", "-m", "pip"]


def provide_uv() -> Path:
    """Return the path of the pinned uv. On first use it is fetched with pip, verified by hash and cached.

    Thread-safe, and safe with other processes. Needs the network on first use only.
    """
    lock = LOCKS / "uv.lock"
    folder = create_cache_dir() / "uv-bin" / compute_key(lock.read_bytes())
    if not (folder / "bin/uv").exists():
        with hold_lock("uv-bin"), workspace() as work:
            if not (folder / "bin/uv").exists():
                words = ["install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
                run([*find_pip(), *words, "--target", work / "uv", "-r", lock], "fetch uv with pip")
                folder.parent.mkdir(exist_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
                (work / "uv").rename(folder)
    return folder / "bin/uv"


# Option of pip → the equivalent variables of uv. The first by name is set if none is.
FROM_PIP = {
    "index-url": {"UV_DEFAULT_INDEX", "UV_INDEX_URL"},
    "cert": {"SSL_CERT_FILE"},
    "proxy": {"ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy"},
}


def create_uv_settings() -> dict[str, str]:
    """Return uv's variables for this cache and pip's index, proxy and certificates: it does not read pip's files.

    Variables that the caller has set for uv win. Empty values are left out. Runs pip once.
    """
    settings = {
        "UV_CACHE_DIR": str(create_cache_dir() / "uv"),
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NATIVE_TLS": "true",
        "UV_SYSTEM_CERTS": "true",
        "UV_NO_PROGRESS": "1",  # `install` shows it
    }
    listed = subprocess.run(
        [*map(str, find_pip()), "config", "list"], env=create_client_environment(), capture_output=True, text=True
    )
    for option, value in re.findall(r"^[\w:.]+\.(index-url|cert|proxy)='(.+)'$", listed.stdout, re.M):
        if not FROM_PIP[option] & os.environ.keys():
            settings[min(FROM_PIP[option])] = value
    return {name: value for name, value in settings.items() if value}
