"""Machines that have never seen the project: fresh roots, homes and clones."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nix.clients.package_clients import EnvironmentProblem
from nix.pins import InputProblem
from nix.revision import REPOSITORY
from tests.fresh import machine, roots
from tests.fresh.clients import Clients, clients
from tests.fresh.machine import Machine
from tests.fresh.roots import Root

Play = Callable[..., Machine]


@pytest.fixture(scope="session")
def host_clients() -> Clients:
    """This host's configuration of pip."""
    return clients()


@pytest.fixture(scope="session")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of this commit's image, built on this host."""
    folder = clone(tmp_path_factory.mktemp("here") / "checkout")
    subprocess.run([sys.executable, "-m", "nix.build"], cwd=folder, check=True)
    return str(json.loads((folder / "build/image.json").read_bytes())["digest"])


@pytest.fixture
def play(tmp_path: Path, host_clients: Clients) -> Play:
    """`play(root, etc, **fields)`: a machine with a new home and a new clone; `etc` is by path below /etc.

    Skips, with the reason, where its packages cannot be fetched or bubblewrap cannot make it.
    """

    def build(root: Root, etc: Mapping[str, str], **fields: Any) -> Machine:
        try:
            folder = roots.ensure(root)
        except (InputProblem, EnvironmentProblem, OSError) as error:
            pytest.skip(f"the machine's packages cannot be fetched: {str(error).splitlines()[0]}")
        files = {name.removeprefix("etc/"): data for name, data in host_clients.files.items()}
        machine.write_etc(folder, tmp_path / "etc", {**files, **{name: text.encode() for name, text in etc.items()}})
        (tmp_path / "home").mkdir()
        checkout = clone(tmp_path / "checkout")
        created = Machine(folder, tmp_path / "etc", tmp_path / "home", checkout, host_clients, **fields)
        if machine.mounts_as_root() and created.namespaces:
            machine.give(created.home)
            machine.give(created.checkout)
        entered = created.run("true")
        if entered.output.startswith("bwrap: "):
            pytest.skip(f"bubblewrap cannot make the machine here: {entered.output.strip()}")
        return created

    return build


def clone(folder: Path) -> Path:
    """Clone this checkout, as it is committed, into the new folder."""
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)
    return folder
