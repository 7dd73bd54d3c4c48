#!/usr/bin/env python3
"""Python environments from hashed locks, made by a pinned uv. Standard library only.

    environments.py create NAME FOLDER   a virtual environment of this Python in FOLDER, from nix/locks/NAME.lock
    environments.py site NAME            a folder of packages for the Python of a pinned root; prints its path
    environments.py fill PYTHON -r LOCK  make an existing environment equal to a lock (for tox)
    environments.py uv                   print the path of the pinned uv

Every package is checked against the hash in its lock, packages that exist as source only are built with the hashed
build tools of build.lock, and pip's own configuration says where packages come from.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cache import cache_dir, locked
from workspace import workspace

LOCKS = Path(__file__).resolve().parent / "locks"
STAMP = ".environment"
PLATFORM = "x86_64-manylinux_2_28"


class EnvironmentProblem(Exception):
    """When an environment cannot be made; the message says what to do next."""


ENVIRONMENTS = ("build", "uv", "development", "infrastructure", "local-aws")


def lock_path(name: str) -> Path:
    """The lock of the environment `name`; EnvironmentProblem lists the known ones."""
    path = LOCKS / f"{name}.lock"
    if name not in ENVIRONMENTS or not path.exists():
        raise EnvironmentProblem(f"no lock {path.name} in nix/locks; known: {', '.join(sorted(ENVIRONMENTS))}")
    return path


def key(*parts: object) -> str:
    """A short name for what is made of exactly these parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


# What people set for package clients in general says how to reach packages, and is kept; these would change which are
# taken or where they go, or keep a client from its work: the lock and the folder that it is given here decide that.
OPTIONS_OF_PIP = "CONSTRAINT DRY_RUN NO_BINARY PLATFORM PREFIX PYTHON ROOT TARGET"
OPTIONS_OF_UV = (
    "BUILD_CONSTRAINT COMPILE_BYTECODE CONFIG_FILE CONSTRAINT EXCLUDE_NEWER LINK_MODE NO_BINARY NO_BUILD OVERRIDE "
    "PYTHON SYSTEM_PYTHON"
)
PERSONAL = {f"PIP_{name}" for name in OPTIONS_OF_PIP.split()} | {f"UV_{name}" for name in OPTIONS_OF_UV.split()}
# These may stand in pip's own files too.
WITHOUT_PERSON = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0"}


def surroundings(**variables: str) -> dict[str, str]:
    """The variables of a package client: the caller's, less what is only about this Python or this person."""
    kept = {name: value for name, value in os.environ.items() if name not in PERSONAL and not name.startswith("PYTHON")}
    return {**kept, **WITHOUT_PERSON, **variables}


def run(command: list[str | Path], what: str, **variables: str) -> str:
    """Run a command; on failure raise EnvironmentProblem with the command's own last lines."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=surroundings(**variables), text=True, capture_output=True, errors="replace")
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
        raise EnvironmentProblem(
            f"{what} failed (exit code {done.returncode}):\n  " + "\n  ".join(said) + f"\n{remedy(' '.join(said))}"
        )
    return done.stdout


REMEDIES = (
    (
        r"No space left|os error 28",
        "Free some disk space where the cache and this checkout are, then run the same command again.",
    ),
    (
        r"[Hh]ash mismatch|DO NOT MATCH",
        "The package index serves another file than the lock names: nothing was installed. "
        "Point pip at an index that has the locked file, or move the pin: make lock.",
    ),
    (
        r"ensurepip|No module named venv",
        "This Python cannot make virtual environments: install its venv package (apt-get install python3-venv).",
    ),
    (
        r"No solution found",
        "What the .in asks for does not go together with what the index has now: loosen it, or try again later "
        "(a version that was published this minute may not be everywhere yet).",
    ),
    (
        r"(?i)connect|network|timed? ?out|dns|tunnel|request|resol",
        "Is the network up, and does pip's configuration (pip config list) name an index that answers? "
        "What is already fetched is kept.",
    ),
    (r"", "Run the same command again; what is already fetched is kept."),
)


def remedy(said: str) -> str:
    """The next step for what a package client said."""
    return next(step for pattern, step in REMEDIES if re.search(pattern, said))


def base_python() -> str:
    """The interpreter behind this one: in a virtual environment, the one that it was made from."""
    base = Path(sys.base_exec_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(base) if base.exists() else sys.executable


def pip() -> list[str | Path]:
    """A command that runs pip: the host's own, or one in a virtual environment kept in the cache."""
    base = base_python()
    if subprocess.run([base, "-m", "pip", "--version"], env=surroundings(), capture_output=True).returncode == 0:
        return [base, "-m", "pip"]
    folder = cache_dir() / "pip" / key(sys.version, base)
    if not folder.exists():
        with locked("pip"), workspace() as work:  # several threads ask for it at once
            if not folder.exists():
                run([base, "-m", "venv", work / "venv"], "making a virtual environment with pip")
                folder.parent.mkdir(exist_ok=True)
                (work / "venv").rename(folder)
    return [folder / "bin/python", "-m", "pip"]


def uv() -> Path:
    """The pinned uv, fetched once by pip, hash-checked."""
    lock = LOCKS / "uv.lock"
    folder = cache_dir() / "uv-bin" / key(lock.read_bytes())
    if not (folder / "bin/uv").exists():
        with locked("uv-bin"), workspace() as work:
            if not (folder / "bin/uv").exists():
                run(
                    [
                        *pip(),
                        "install",
                        "--quiet",
                        "--require-hashes",
                        "--no-deps",
                        "--only-binary",
                        ":all:",
                        "--target",
                        work / "uv",
                        "-r",
                        lock,
                    ],
                    "fetching uv with pip",
                )
                folder.parent.mkdir(exist_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
                (work / "uv").rename(folder)
    return folder / "bin/uv"


# Option of pip → the variables by which uv is told the same: the first by name is set where none is.
FROM_PIP = {
    "index-url": {"UV_DEFAULT_INDEX", "UV_INDEX_URL"},
    "cert": {"SSL_CERT_FILE"},
    "proxy": {"ALL_PROXY", "HTTPS_PROXY", "all_proxy", "https_proxy"},
}


def uv_settings() -> dict[str, str]:
    """uv's variables for this cache and for pip's index, with its proxy and certificates: uv reads no file of pip's."""
    settings = {
        "UV_CACHE_DIR": str(cache_dir() / "uv"),
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NATIVE_TLS": "true",
        "UV_SYSTEM_CERTS": "true",
        "UV_NO_PROGRESS": "" if sys.stderr.isatty() else "1",
    }
    listed = subprocess.run([*map(str, pip()), "config", "list"], env=surroundings(), capture_output=True, text=True)
    for option, value in re.findall(r"^[\w:.]+\.(index-url|cert|proxy)='(.+)'$", listed.stdout, re.M):
        if not FROM_PIP[option] & os.environ.keys():
            settings[min(FROM_PIP[option])] = value
    return {name: value for name, value in settings.items() if value}


def create(name: str, folder: Path) -> None:
    """Make the virtual environment `folder` from the lock `name`; nothing to do if it is already that."""
    lock = lock_path(name)
    wanted = key(lock.read_bytes(), (LOCKS / "build.lock").read_bytes(), sys.version, sys.executable)
    stamp = folder / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        stamp.touch()
        return
    with locked("environment-" + key(str(folder.resolve()))):
        if stamp.exists() and stamp.read_text() == wanted:
            return  # another was faster, and works with it already
        stamp.unlink(missing_ok=True)
        announce(f"environment {name}: Python {sys.version.split()[0]}", lock)
        run(
            [uv(), "venv", "--quiet", "--clear", "--python", sys.executable, folder],
            f"making {folder}",
            **uv_settings(),
        )
        fill(folder / "bin/python", lock)
        stamp.write_text(wanted)


def announce(what: str, lock: Path) -> None:
    """Say on standard error what is made from which lock."""
    print(f"{what}, {lock.read_text().count('==')} packages", file=sys.stderr, flush=True)


def fill(python: Path, lock: Path) -> None:
    """Make the environment of this Python hold exactly what the lock names."""
    run(
        [
            uv(),
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--build-constraints",
            LOCKS / "build.lock",
            "--python",
            python,
            lock,
        ],
        f"filling {python.parent.parent} from {lock.name}",
        **uv_settings(),
    )


def site_folder(name: str, python_version: str = "3.13") -> Path:
    """Where the site of a lock as it is now lies once it is made."""
    made_of = key(lock_path(name).read_bytes(), (LOCKS / "build.lock").read_bytes(), python_version)
    return cache_dir() / "sites" / f"{name}-{made_of}"


def site(name: str, python_version: str = "3.13") -> Path:
    """A folder of the packages of the lock `name`, for `PYTHONPATH` of the Python of the pinned root of that name."""
    import inputs  # only here: environments are also made where no root is needed

    lock, folder = lock_path(name), site_folder(name, python_version)
    if folder.exists():
        return folder
    root = inputs.root(name)
    with locked(folder.name), workspace() as work:
        if not folder.exists():
            announce(f"packages of {name}: Python {python_version}", lock)
            packages = work / "site"
            run(
                [
                    uv(),
                    "pip",
                    "install",
                    "--quiet",
                    "--require-hashes",
                    "--no-deps",
                    "--target",
                    packages,
                    "--build-constraints",
                    LOCKS / "build.lock",
                    "--python",
                    sys.executable,
                    "--python-version",
                    python_version,
                    "--python-platform",
                    PLATFORM,
                    "-r",
                    lock,
                ],
                f"installing {lock.name}",
                **uv_settings(),
            )
            compile_bytecode(root, packages, python_version)
            folder.parent.mkdir(exist_ok=True)
            packages.rename(folder)
    return folder


def compile_bytecode(root: Path, packages: Path, python_version: str) -> None:
    """Compile the packages and the root's standard library with the root's own Python: every start reads bytecode."""
    lib, python = root / "usr/lib/x86_64-linux-gnu", root / f"usr/bin/python{python_version}"
    run(
        [
            lib / "ld-linux-x86-64.so.2",
            "--argv0",
            python,
            "--library-path",
            lib,
            python,
            Path(__file__).with_name("compile_bytecode.py"),
            packages,
            root / f"usr/lib/python{python_version}",
        ],
        f"compiling {packages}",
        PYTHONHOME=str(root / "usr"),
        PYTHONNOUSERSITE="1",
        PYTHONPATH="",
    )


def main(arguments: list[str]) -> int:
    """Run one verb; 0 done, 1 failed, 2 misused."""
    try:
        match arguments:
            case ["create", name, folder]:
                create(name, Path(folder))
            case ["fill", python, "-r", file]:
                fill(Path(python), Path(file))
            case ["site", name]:
                print(site(name))
            case ["uv"]:
                print(uv())
            case ["-h" | "--help"]:
                print(__doc__)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (EnvironmentProblem, OSError) as problem:
        print(f"environments.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("environments.py: interrupted; run the same command again, what is fetched is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
