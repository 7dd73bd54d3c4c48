"""The flake's other outputs, with the project's own Nix and its store."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nix import inputs
from nix.assembly.differences import ImageLayout
from nix.bundled_nix import Nix, install_nix
from nix.cache.folder import create_cache_dir
from nix.cache.workspace import workspace
from nix.nix_build import add_inputs, write_flake_inputs
from tests.image.test_sources import build

ROOT = Path(__file__).resolve().parents[2]
LOCKLESS = "--no-write-lock-file"


@dataclass(frozen=True)
class Flake:
    """The project's flake, as a copy without git, a Nix, and the folder that it is started in."""

    nix: Nix
    folder: Path
    place: Path = Path("/")

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `nix` with these words; FLAKE in them is the flake."""
        named = [word.replace("FLAKE", f"path:{self.folder}") for word in words]
        # What follows `--` is the app's.
        end = named.index("--") if "--" in named else len(named)
        line = [*self.nix.create_command("nix"), *named[:end], LOCKLESS, *named[end:]]
        environment = {**self.nix.environment, "SCORE_PROCESSOR_CACHE": str(create_cache_dir()), **variables}
        return subprocess.run(line, env=environment, cwd=self.place, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def flake() -> Iterator[Flake]:
    """The flake, its inputs in the store."""
    nix = install_nix()
    add_inputs(nix)
    with workspace() as work:
        yield Flake(nix, write_flake_inputs(work))


def test_flake_check_holds(image: dict[str, Any], flake: Flake) -> None:
    """`nix flake check` lints the image and the corpus, and passes."""
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


def test_the_formatter_is_the_environments(flake: Flake, tmp_path: Path) -> None:
    """`nix fmt` formats with .venv's ruff, and names the command that makes .venv."""
    done = flake.run("build", "FLAKE#formatter.x86_64-linux", "--no-link", "--print-out-paths")
    assert done.returncode == 0, done.stderr
    words = [f"{done.stdout.strip()}/bin/format", "code.py"]
    (tmp_path / "code.py").write_text("a  =  1\n")
    failed = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (failed.returncode, "next: make venv" in failed.stderr) == (1, True)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/ruff").symlink_to(Path(sys.executable).with_name("ruff"))
    subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "code.py").read_text() == "a = 1\n"


def test_the_demo_runs_in_a_checkout_only(flake: Flake) -> None:
    """`nix run .#demo` is `make demo` there, and an error with the next step elsewhere."""
    done = replace(flake, place=ROOT).run("run", "FLAKE#demo", "--", "--dry-run")
    assert (done.returncode, "scripts demo" in done.stdout) == (0, True), done.stderr
    done = flake.run("run", "FLAKE#demo", "--", "--dry-run")
    assert (done.returncode, "next: git clone" in done.stderr) == (1, True)


NIXPKGS = """{ outputs = { self }: { packages.x86_64-linux.python3 = derivation {
  name = "python3"; system = "x86_64-linux"; builder = "LOADER"; PYTHONHOME = "ROOT/usr";
  text = "#!/bin/sh\\nPYTHONHOME='ROOT/usr' exec 'LOADER' --library-path 'LIBRARY' 'INTERPRETER' \\"$@\\"\\n";
  args = [ "--library-path" "LIBRARY" "INTERPRETER" "-c" ''
    import os
    folder = os.environ["out"] + "/bin"
    os.makedirs(folder)
    open(folder + "/python3", "w").write(os.environ["text"])
    os.chmod(folder + "/python3", 0o755)
  '' ];
}; }; }"""


def test_a_host_without_python_takes_the_one_of_nixpkgs(flake: Flake, tmp_path: Path) -> None:
    """`nix run .#inputs` needs no Python on PATH; nixpkgs is what the registry says, here a flake with this one."""
    root = inputs.find_root("image")
    library = root / "usr/lib/x86_64-linux-gnu"
    text = NIXPKGS
    for name, place in (
        ("LOADER", library / "ld-linux-x86-64.so.2"),
        ("LIBRARY", library),
        ("INTERPRETER", root / "usr/bin/python3.11"),
        ("ROOT", root),
    ):
        text = text.replace(name, str(place))
    (tmp_path / "nixpkgs").mkdir()
    (tmp_path / "nixpkgs/flake.nix").write_text(text)
    target = {"type": "path", "path": str(tmp_path / "nixpkgs")}
    registry = {"version": 2, "flakes": [{"from": {"type": "indirect", "id": "nixpkgs"}, "to": target}]}
    (tmp_path / "registry.json").write_text(json.dumps(registry))
    (tmp_path / "bin").mkdir()
    for name in ("cat", "dirname", "head", "mkdir", "git"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    path = f"{flake.nix.folder}:{tmp_path / 'bin'}"
    done = flake.run("run", "FLAKE#inputs", PATH=path, NIX_CONFIG=f"flake-registry = {tmp_path / 'registry.json'}")
    assert done.returncode == 0, done.stderr
