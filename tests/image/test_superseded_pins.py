"""An image whose Debian packages are gone from every mirror."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nix import inputs, pins, publish_inputs
from nix.cache import input_cache
from nix.cache.folder import create_cache_dir
from nix.input_archive import artifact, release
from nix.oci.layout import link
from tests.integration.nix.world import World, serve


@dataclass
class Machine:
    """A clone on a machine with an empty cache, whose only mirror is a loopback server that has no package."""

    clone: Path
    folder: Path
    server: World
    apt: list[str] = field(default_factory=list)

    def build(self, name: str) -> dict[str, Any]:
        """Build with a cache that holds the layers of wheels, and no input and no other layer."""
        cache = self.folder / f"cache-{name}"
        for record in (create_cache_dir() / "layers").glob("*/layer.json"):
            if json.loads(record.read_text())["name"] not in ("base", "sbom"):
                (cache / "layers" / record.parent.name).mkdir(parents=True)
                for file in record.parent.iterdir():
                    link(file, cache / "layers" / record.parent.name / file.name)
        (self.folder / "apt.conf").write_text("".join(self.apt))
        variables = {
            "APT_CONFIG": str(self.folder / "apt.conf"),
            "ARCHIVE": str(self.folder / "wheels"),
            "DEBIAN_MIRROR": f"{self.server.address}/debian",
            "PYTHONPATH": str(self.clone),
            "PYTHONSAFEPATH": "1",
            "SCORE_PROCESSOR_CACHE": str(cache),
            "no_proxy": "127.0.0.1",
        }
        command = [sys.executable, "-m", "nix.build", "--json", "--output", str(self.folder / name)]
        done = subprocess.run(command, cwd=self.clone, env={**os.environ, **variables}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        image: dict[str, Any] = json.loads(done.stdout)
        return image


@pytest.fixture
def machine(clone: Path, tmp_path: Path) -> Iterator[Machine]:
    """The machine; its wheels lie in a folder."""
    inputs.fetch_these(artifact.list_all_inputs())
    (tmp_path / "wheels").mkdir()
    for wheel in pins.read_wheel_lock():
        (tmp_path / "wheels" / wheel.file_name).write_bytes(input_cache.locate_input(wheel).read_bytes())
    world = World(tmp_path)
    server = serve(world)
    (tmp_path / "sources").mkdir()
    apt = [f'Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "{tmp_path / "sources"}";\n']
    yield Machine(clone, tmp_path, world, apt)
    server.shutdown()
    server.server_close()


def test_the_digest_is_the_same_from_a_snapshot_and_from_a_release(machine: Machine) -> None:
    """Built from Debian's snapshot archive, then from a release of the clone's forge, the image has one digest."""
    server, template = machine.server, f"{machine.server.address}/archive/@PATH@/@SNAPSHOTID@/"
    for deb in pins.read_deb_lock("image").debs:
        name = "debian-security" if "/updates/" in deb.pool_path else "debian"
        server.served[f"/archive/{name}/{deb.snapshots[0]}/{deb.pool_path}"] = input_cache.locate_input(
            deb
        ).read_bytes()
    plain = list(machine.apt)
    machine.apt.append(f'Acquire::Snapshots::URI::Origin::Debian "{template}";\n')
    first = machine.build("snapshot")
    assert [path for path in server.asked if path.startswith("/archive/debian/")]

    server.served.clear()
    machine.apt[:] = plain
    origin = f"{server.address}/owner/project.git"
    subprocess.run(["git", "-C", machine.clone, "remote", "remove", "origin"], check=False, capture_output=True)
    subprocess.run(["git", "-C", machine.clone, "remote", "add", "origin", origin], check=True)
    tar = publish_inputs.write(machine.folder / "published").read_bytes()
    path = f"/owner/project/releases/download/{release.name()}/{release.name()}.tar"
    server.served[path] = tar
    second = machine.build("release")
    assert path in server.asked
    assert second["digest"] == first["digest"]
    assert second["digest"].startswith("sha256:")
