"""The commands that Nix is started with, for a cache folder with special characters."""

import os
from pathlib import Path

import pytest

from nix import inputs, nix_build
from nix.bundled_nix import Nix
from nix.pins import Wheel

STORE = """#!/bin/sh
echo "$*" >> "{folder}/asked"
[ "$1" = --add-fixed ] || exit 0
for last; do case "$last" in --*|sha256) ;; *) echo "{folder}/a store/${{last##*/}}";; esac; done
"""
BUILDER = """#!/bin/sh
echo "$2" > "{folder}/asked"
mkdir -p "$4"
echo '{{"manifests": [{{"digest": "sha256:0"}}]}}' > "$4/index.json"
"""


@pytest.fixture
def nix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nix:
    """Tools that record their arguments, in a folder with a space and a `#` in its name."""
    folder = tmp_path / "a folder#1"
    (folder / "bin").mkdir(parents=True)
    for tool, text in {"nix-store": STORE, "nix": BUILDER}.items():
        (folder / "bin" / tool).write_text(text.format(folder=folder))
        (folder / "bin" / tool).chmod(0o755)
    monkeypatch.setenv("SCORE_PROCESSOR_CACHE", str(folder / "cache"))
    return Nix("noting", folder / "roots", ("loader",), folder / "bin", dict(os.environ))


def test_each_input_is_rooted_by_its_whole_path(nix: Nix, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store prints one path per line, and a path may contain a space."""
    wheels = [Wheel(name, "1", 1, name * 64, "small") for name in ("a", "b")]
    monkeypatch.setattr(inputs, "fetch_wheels", lambda: {"small": wheels})
    monkeypatch.setattr(inputs, "find_root", lambda _: nix.roots.parent / "root")
    nix_build.add_inputs(nix)
    asked = (nix.roots.parent / "asked").read_text().splitlines()
    rooted = [line.partition(" --add-root ")[0] for line in asked if line.startswith("--realise")]
    names = ["root", *(wheel.file_name for wheel in wheels)]
    assert rooted == [f"--realise {nix.roots.parent}/a store/{name}" for name in names]


def test_a_link_into_another_store_is_replaced(nix: Nix) -> None:
    """A checkout that another Nix built in can be built in with this one."""
    link = nix.roots.parent / "image"
    link.symlink_to(nix.roots.parent / "store of another Nix")
    assert nix_build.build(nix, link) == "sha256:0"


def test_the_flakes_address_is_escaped(nix: Nix) -> None:
    """Special characters of the flake's folder are escaped, and only the output's `#` is not."""
    assert nix_build.build(nix, nix.roots.parent / "image") == "sha256:0"
    asked = (nix.roots.parent / "asked").read_text().strip()
    assert asked.startswith("path:/")
    assert asked.endswith("/source#image")
    assert "/a%20folder%231/cache/" in asked
