#!/usr/bin/env python3
"""The image with Nix: fetch the inputs, add them to the store, build. Prints the digest.

    nix_build.py [--bundled] [--inputs-only] [--output LINK]

The host's Nix is used where there is one; without, or with --bundled, the project's own (Debian's, unpacked into the
cache, with a store of its own; no root, nothing installed).
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pins
import vault
from bundled_nix import Nix, bundled, host
from cache import in_use, locked
from revision import REPOSITORY, checkout
from workspace import workspace

import inputs
from environments import EnvironmentProblem

SOURCES = ("flake.nix", "pyproject.toml", "nix", "handler", "plexus")


class NixProblem(pins.InputProblem):
    """When Nix fails; the message holds its own last lines."""


def run(nix: Nix, *words: str | Path) -> str:
    """What a command of Nix prints; NixProblem with its last lines when it fails."""
    done = subprocess.run(
        [*nix.command(str(words[0])), *map(str, words[1:])],
        env=nix.environment,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise NixProblem(f"{words[0]} {words[1]} failed:\n  " + "\n  ".join(done.stderr.strip().splitlines()[-15:]))
    return done.stdout.strip()


def add_inputs(nix: Nix) -> None:
    """Put the image's root and wheels into the store, each rooted so that no garbage collection takes it."""
    wheels = [vault.place(wheel) for members in inputs.cached_wheels().values() for wheel in members]
    root = inputs.root("image")
    paths = [run(nix, "nix-store", "--add-fixed", "--recursive", "sha256", root)]
    paths += run(nix, "nix-store", "--add-fixed", "sha256", *wheels).splitlines()
    for path in paths:
        link = vault.made(nix.roots) / Path(path).name
        if not link.is_symlink():
            run(nix, "nix-store", "--realise", path, "--add-root", link, "--indirect")


def stage(work: Path) -> Path:
    """A copy of the tracked files that the flake reads, with the revision beside them: no git is needed to read it."""
    source = checkout(SOURCES)
    folder = work / "source"
    tracked = source.tracked
    if tracked is None:
        tracked = tuple(str(path.relative_to(REPOSITORY)) for name in SOURCES for path in files_of(REPOSITORY / name))
    for name in tracked:
        if (REPOSITORY / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name)
    (folder / "nix" / "REVISION").write_text(source.revision)
    return folder


def files_of(path: Path) -> list[Path]:
    """The files at or below a path, less bytecode."""
    found = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return [one for one in found if "__pycache__" not in one.parts]


def build(nix: Nix, output: Path) -> str:
    """Build the image, link it at `output`, and return its digest."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with workspace() as work:
        flake = f"path:{quote(str(stage(work)))}#image"
        run(nix, "nix", "build", flake, "--out-link", output, "--no-write-lock-file")
    index = json.loads((output / "index.json").read_bytes())
    return str(index["manifests"][0]["digest"])


def main() -> int:
    """0 done, 1 failed, 130 interrupted."""
    parser = argparse.ArgumentParser(description="Build the image with Nix, the host's or the project's own.")
    parser.add_argument("--bundled", action="store_true", help="use the project's own Nix though the host has one")
    parser.add_argument("--inputs-only", action="store_true", help="fetch and add the inputs, build nothing")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "nix-image", help="link to make")
    arguments = parser.parse_args()
    try:
        nix = (None if arguments.bundled else host()) or bundled()
        with in_use(), locked("nix"):
            print(f"nix: {nix.name}", file=sys.stderr, flush=True)
            add_inputs(nix)
            if not arguments.inputs_only:
                print(build(nix, arguments.output.absolute()))
    except (pins.InputProblem, EnvironmentProblem, OSError) as problem:
        print(f"nix: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("nix: interrupted; what is in the store is kept", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
