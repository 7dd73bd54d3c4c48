#!/usr/bin/env python3
"""Build the image with Nix: fetch the inputs, add them to the store, build, and print the digest.

    python3 -m nix.nix_build [--bundled] [--inputs-only] [--output LINK]

Uses the host's Nix. If there is none, or with --bundled, uses the project's own: Debian's, unpacked into the cache,
with its own store there; no root is needed and nothing is installed.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from nix import inputs, pins
from nix.bundled_nix import Nix, find_host_nix, install_nix
from nix.cache import input_cache
from nix.cache.folder import hold_lock, in_use
from nix.cache.workspace import workspace
from nix.clients.package_clients import EnvironmentProblem
from nix.command import DONE, command
from nix.oci.source_archive import PLACEHOLDERS
from nix.revision import REPOSITORY, read_checkout

# The tests are those of the flake's check `corpus`; the image does not depend on them.
TESTS = ("tests/__init__.py", "tests/images", "tests/unit/__init__.py", "tests/unit/oci")
SOURCES = ("flake.nix", "pyproject.toml", "nix", "handler", "plexus", *TESTS)


class NixProblem(pins.InputProblem):
    """Raised if Nix fails; the message has the last lines of its output."""


def run(nix: Nix, *words: str | Path) -> str:
    """Run a Nix command and return its output, stripped; raises NixProblem if it fails.

    The error has the last 15 lines of its standard error. Waits without a limit: a build may take minutes.
    """
    done = subprocess.run(
        [*nix.create_command(str(words[0])), *map(str, words[1:])],
        env=nix.environment,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise NixProblem(f"{words[0]} {words[1]} failed:\n  " + "\n  ".join(done.stderr.strip().splitlines()[-15:]))
    return done.stdout.strip()


def add_inputs(nix: Nix) -> None:
    """Add the image's root and wheels to the store, each with a garbage collection root; idempotent."""
    wheels = [input_cache.locate_input(wheel) for members in inputs.fetch_wheels().values() for wheel in members]
    root = inputs.find_root("image")
    paths = [run(nix, "nix-store", "--add-fixed", "--recursive", "sha256", root)]
    paths += run(nix, "nix-store", "--add-fixed", "sha256", *wheels).splitlines()
    for path in paths:
        link = input_cache.ensure_folder(nix.roots) / Path(path).name
        if not link.is_symlink():
            run(nix, "nix-store", "--realise", path, "--add-root", link, "--indirect")


def write_flake_inputs(work: Path) -> Path:
    """Write the files that the flake reads, with the commit, if any, in nix/REVISION, so that Nix needs no git."""
    source = read_checkout(SOURCES)
    if source.warning:
        print(source.warning, file=sys.stderr, flush=True)
    folder = work / "source"
    source.write(folder, *SOURCES)
    # An archive has the commit filled in, which can be verified against the whole archive only.
    (folder / "nix" / "commit.txt").write_bytes(PLACEHOLDERS)
    if source.commit:
        (folder / "nix" / "REVISION").write_text(source.commit)
    return folder


def build(nix: Nix, output: Path) -> str:
    """Build the image, link it at `output`, and return its digest.

    A link at `output` is replaced; the link protects the image from Nix's garbage collector.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.is_symlink():  # Nix replaces only links into its own store
        output.unlink()
    with workspace() as work:
        flake = f"path:{quote(str(write_flake_inputs(work)))}#image"
        run(nix, "nix", "build", flake, "--out-link", output, "--no-write-lock-file")
    index = json.loads((output / "index.json").read_bytes())
    return str(index["manifests"][0]["digest"])


@command("nix", pins.InputProblem, EnvironmentProblem, interrupted="inputs in the store are kept")
def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 failed, 2 misused, 130 interrupted."""
    parser = argparse.ArgumentParser(description="Build the image with Nix, the host's or the project's own.")
    parser.add_argument("--bundled", action="store_true", help="use the project's own Nix even if the host has one")
    parser.add_argument("--inputs-only", action="store_true", help="only fetch the inputs and add them to the store")
    parser.add_argument(
        "--output",
        type=Path,
        default=REPOSITORY / "build" / "nix-image",
        help="link to create (default: build/nix-image)",
    )
    arguments = parser.parse_args(words)
    nix = (None if arguments.bundled else find_host_nix()) or install_nix()
    with in_use(), hold_lock("nix"):
        print(f"nix: {nix.name}", file=sys.stderr, flush=True)
        add_inputs(nix)
        if not arguments.inputs_only:
            print(build(nix, arguments.output.absolute()))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
