"""The flake's other outputs, with the project's own Nix and its store."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nix.bundled_nix import Nix, install_nix
from nix.cache import cache_dir
from nix.differences import ImageLayout
from nix.nix_build import add_inputs, stage
from nix.workspace import workspace
from tests.image.test_sources import build

LOCKLESS = "--no-write-lock-file"


@dataclass(frozen=True)
class Flake:
    """The project's flake, as a copy without git, and a Nix."""

    nix: Nix
    folder: Path

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `nix` with these words; FLAKE in them is the flake."""
        line = [*self.nix.command("nix"), *(word.replace("FLAKE", f"path:{self.folder}") for word in words), LOCKLESS]
        environment = {**self.nix.environment, "SCORE_PROCESSOR_CACHE": str(cache_dir()), **variables}
        return subprocess.run(line, env=environment, cwd="/", capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def flake() -> Iterator[Flake]:
    """The flake, its inputs in the store."""
    nix = install_nix()
    add_inputs(nix)
    with workspace() as work:
        yield Flake(nix, stage(work))


def test_flake_check_holds(image: dict[str, Any], flake: Flake) -> None:
    """`nix flake check` lints the image and passes."""
    done = flake.run("flake", "check", "FLAKE")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


def test_each_layer_is_an_output(image: dict[str, Any], flake: Flake) -> None:
    """`nix build .#layers.NAME` builds one layer, with the plain build's digest."""
    names = [layer["name"] for layer in image["layers"]]
    done = flake.run("build", *(f"FLAKE#layers.{name}" for name in names), "--no-link", "--print-out-paths")
    assert done.returncode == 0, done.stderr
    records = [json.loads((Path(path) / "layer.json").read_bytes()) for path in done.stdout.split()]
    assert {one["name"]: one["digest"] for one in records} == {one["name"]: one["digest"] for one in image["layers"]}


def test_a_layer_depends_on_its_own_inputs_only(flake: Flake) -> None:
    """The derivation of one wheel's layer depends on that wheel and the root, and on no other wheel."""
    done = flake.run("derivation", "show", "FLAKE#layers.tiktoken")
    assert done.returncode == 0, done.stderr
    (derivation,) = json.loads(done.stdout).values()
    sources = {Path(path).name.partition("-")[2] for path in derivation["inputSrcs"]}
    assert derivation["inputDrvs"] == {}
    assert {name.rpartition("-")[0] for name in sources if name.endswith(".whl")} == {"tiktoken"}
    assert "root" in sources


def edit(folder: Path) -> None:
    """Change a tracked file."""
    with (folder / "handler/app.py").open("a") as file:
        file.write("# changed\n")


@pytest.mark.parametrize("change", [None, edit], ids=["intact", "changed"])
@pytest.mark.parametrize("kind", ["archive", "clone"])
def test_a_flake_has_the_digest_of_the_plain_build(
    kind: str, change: Callable[[Path], None] | None, flake: Flake, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """An archive and a clone, intact or changed, have one digest and label, by Nix alone and by the plain build."""
    folder: Path = request.getfixturevalue(kind)
    if change:
        change(folder)
    expected = build(folder, tmp_path / "image")
    address = f"git+file://{folder}" if kind == "clone" else f"path:{folder}"
    done = flake.run("build", f"{address}#image", "--no-link", "--print-out-paths")
    assert done.returncode == 0, done.stderr
    assert ImageLayout(Path(done.stdout.strip())).digest == expected["digest"]
    assert expected["revision"].startswith("uncommitted-") == bool(change)


def test_missing_inputs_end_in_one_line_that_names_the_command(flake: Flake, tmp_path: Path) -> None:
    """A build on an empty store fails at once, and its last line names the command to run first."""
    names = ("NIX_STORE_DIR", "NIX_STATE_DIR", "NIX_LOG_DIR")
    for name in names:
        (tmp_path / name).mkdir()
    done = flake.run("build", "FLAKE#image", "--no-link", **{name: str(tmp_path / name) for name in names})
    assert done.returncode == 1
    assert "missing-input/root/first:nix-run-.#inputs" in done.stderr.strip().splitlines()[-1]


def test_the_app_adds_the_inputs(flake: Flake) -> None:
    """`nix run .#inputs` adds every input to the store, from the flake's own copy of the locks."""
    done = flake.run("run", "FLAKE#inputs")
    assert done.returncode == 0, done.stderr
