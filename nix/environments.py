#!/usr/bin/env python3
"""Create Python environments from hashed locks with a pinned uv. Standard library only.

    python -m nix.environments create NAME FOLDER   a virtual environment of this Python, from nix/locks/NAME.lock
    python -m nix.environments site NAME            packages for the Python of a pinned root; prints their folder
    python -m nix.environments fill PYTHON -r LOCK  install exactly a lock's packages into an environment (for tox)
    python -m nix.environments uv                   print the path of the pinned uv

Every package is verified against the hash in its lock. Packages that are published as source only are built with the
hashed build tools of build.lock. pip's configuration names the index.
"""

import re
import sys
import tomllib
from pathlib import Path

from nix import inputs
from nix.cache.folder import create_cache_dir, hold_lock
from nix.cache.workspace import workspace
from nix.clients.package_clients import (
    EnvironmentProblem,
    compute_key,
    create_uv_settings,
    find_base_python,
    install,
    provide_uv,
    run,
)
from nix.command import DONE, MISUSED, command
from nix.pins import LOCKS, InputProblem

ROOT = Path(__file__).resolve().parents[1]
STAMP = ".environment"
PLATFORM = "x86_64-manylinux_2_28"

CHECKOUT_IN = "development"
"""The environment in which the checkout is installed."""
ENVIRONMENTS = ("build", "uv", "development", "infrastructure", "local-aws")


def lock_path(name: str) -> Path:
    """Return the path of the lock `name`. Raises EnvironmentProblem, which lists the known names."""
    path = LOCKS / f"{name}.lock"
    if name not in ENVIRONMENTS or not path.exists():
        known = ", ".join(sorted(ENVIRONMENTS))
        raise EnvironmentProblem(f"unknown environment: got {name}, expected one of {known}")
    return path


def create(name: str, folder: Path) -> None:
    """Create the virtual environment `folder` from the lock `name`, or return at once if it is up to date.

    Up to date means: the same locks, interpreter, folder and, for `development`, package metadata of the checkout.
    Safe to call concurrently: the second caller waits for the first. Raises EnvironmentProblem.
    """
    lock, python = lock_path(name), find_base_python()
    made_of = (lock.read_bytes(), (LOCKS / "build.lock").read_bytes(), sys.version, python, folder.resolve())
    # make compares the folder: after a move, the editable checkout and the programs' first lines name the former one.
    wanted = f"{compute_key(*made_of, read_metadata() if name == CHECKOUT_IN else None)}\n{folder.resolve()}\n"
    stamp = folder / STAMP
    if is_current(folder, wanted):
        stamp.touch()
        return
    with hold_lock("environment-" + compute_key(str(folder.resolve()))):
        if is_current(folder, wanted):
            return  # another process created it meanwhile, and may already be using it
        if stamp.exists() and not (folder / "bin/python").exists():
            print(f"environment {name}: its interpreter is gone; creating it again", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        announce(f"environment {name}: Python {sys.version.split()[0]}", lock)
        words = ["venv", "--quiet", "--clear", "--python", python]
        run([provide_uv(), *words, folder], f"create {folder}", **create_uv_settings())
        fill(folder / "bin/python", lock)
        stamp.write_text(wanted)


def is_current(folder: Path, wanted: str) -> bool:
    """Return whether a finished environment of this key is in `folder`, with an interpreter that still exists."""
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text() == wanted and (folder / "bin/python").exists()


def read_metadata() -> str:
    """Return the part of pyproject.toml that an editable install depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return repr((project["build-system"], project["project"], project["tool"]["hatch"]))


def announce(what: str, lock: Path) -> None:
    """Print what is created, and the number of packages in its lock, to standard error."""
    print(f"{what}, {lock.read_text().count('==')} packages", file=sys.stderr, flush=True)


def fill(python: Path, lock: Path) -> None:
    """Install exactly the packages of `lock` into the environment of `python`.

    `development` also gets the checkout. Idempotent. Raises EnvironmentProblem.
    """
    words = ["pip", "sync", "--require-hashes", "--build-constraints", str(LOCKS / "build.lock")]
    what = f"fill {python.parent.parent} from {lock.name}"
    install([provide_uv(), *words, "--python", python, lock], what, **create_uv_settings())
    if lock.stem == CHECKOUT_IN:
        install_checkout(python)


def install_checkout(python: Path) -> None:
    """Install the checkout editable, with the commands `plexus` and `score-processor`. Uses no network.

    Requires hatchling and editables in the environment.
    """
    words = ["pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python"]
    words.append(str(python.absolute()))
    # uv takes `#` and `[` of a path for parts of an address, but not in that of the folder that it works in.
    run(
        [provide_uv(), "--directory", ROOT, *words, "--editable", "."],
        f"install the checkout into {python.parent.parent}",
        **create_uv_settings(),
    )
    # `score-processor` operates a checkout, so the wheel, which holds `plexus` only, must not declare it.
    plexus, operate = python.with_name("plexus"), python.with_name("score-processor")
    operate.write_text(re.sub(r"from plexus\S*", "from scripts.__main__", plexus.read_text("utf-8")), "utf-8")
    operate.chmod(0o755)


def locate_site(name: str, python_version: str = "3.13") -> Path:
    """Return the folder that `site` creates for the present lock, whether or not it exists."""
    made_of = compute_key(lock_path(name).read_bytes(), (LOCKS / "build.lock").read_bytes(), python_version)
    return create_cache_dir() / "sites" / f"{name}-{made_of}"


def install_site(name: str, python_version: str = "3.13") -> Path:
    """Return a folder of the packages of the lock `name`, for `PYTHONPATH` of the Python in the root of that name.

    Installs and compiles them on first use. Safe to call concurrently. Raises EnvironmentProblem or InputProblem.
    """
    lock, folder = lock_path(name), locate_site(name, python_version)
    if folder.exists():
        return folder
    root = inputs.find_root(name)
    with hold_lock(folder.name), workspace() as work:
        if not folder.exists():
            announce(f"packages of {name}: Python {python_version}", lock)
            packages = work / "site"
            words = ["pip", "install", "--require-hashes", "--no-deps", "--build-constraints"]
            words += [str(LOCKS / "build.lock"), "--python", sys.executable, "--python-version", python_version]
            words += ["--python-platform", PLATFORM, "--target", str(packages)]
            install([provide_uv(), *words, "-r", lock], f"install {lock.name}", **create_uv_settings())
            compile_bytecode(root, packages, python_version)
            folder.parent.mkdir(exist_ok=True)
            packages.rename(folder)
    return folder


def compile_bytecode(root: Path, packages: Path, python_version: str) -> None:
    """Compile the packages and the root's standard library with the root's Python, for quicker starts.

    `python_version` is as in the file's name, `3.13`. Modules that do not compile are skipped.
    """
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
        f"compile {packages}",
        PYTHONHOME=str(root / "usr"),
        PYTHONNOUSERSITE="1",
        PYTHONPATH="",
    )


@command("environment", EnvironmentProblem, InputProblem, interrupted="finished downloads are kept")
def main(arguments: list[str]) -> int:
    """Run one verb. Returns the exit code: 0 done, 1 failed, 2 misused, 130 interrupted."""
    match arguments:
        case ["create", name, folder]:
            create(name, Path(folder))
        case ["fill", python, "-r", file]:
            fill(Path(python), Path(file))
        case ["site", name]:
            print(install_site(name))
        case ["uv"]:
            print(provide_uv())
        case ["-h" | "--help"]:
            print(__doc__)
        case _:
            print(__doc__, file=sys.stderr)
            return MISUSED
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
