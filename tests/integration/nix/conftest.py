"""The small world that tests of inputs share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nix import pins
from nix.clients import http_download
from nix.debian import mirrors
from nix.input_archive import release
from tests.integration.nix import world as worlds
from tests.integration.nix.world import World


def isolate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide this host's apt configuration, its files about Debian and this clone's origin from the code under test."""
    for name in ("apt/sources", "apt/lists/partial", "host", "clone"):
        (folder / name).mkdir(parents=True)
    settings = {"Etc::SourceList": "/dev/null", "Etc::SourceParts": "apt/sources", "State::Lists": "apt/lists"}
    lines = [f'Dir::{name} "{folder / value}";\n' for name, value in settings.items()]
    (folder / "apt/apt.conf").write_text("#clear Acquire::Snapshots;\n" + "".join(lines))
    monkeypatch.setenv("APT_CONFIG", str(folder / "apt/apt.conf"))
    monkeypatch.setattr(mirrors, "HOST", folder / "host")
    monkeypatch.setattr(release, "REPOSITORY", folder / "clone")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Locks of three packages, a server that has them, an empty folder for pip, and an empty cache.

    The server may be slow: a busy machine is no failure.
    """
    created = worlds.make(tmp_path)
    server = worlds.serve(created)
    monkeypatch.setattr(pins, "LOCKS", tmp_path / "locks")
    for name in ("PROBE_S", "READ_S"):
        monkeypatch.setattr(http_download, name, worlds.LIMIT_S)
    for name, value in {
        "SCORE_PROCESSOR_CACHE": str(tmp_path / "cache"),
        "DEBIAN_MIRROR": created.address,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
        "no_proxy": "127.0.0.1,localhost",
    }.items():
        monkeypatch.setenv(name, value)
    isolate(tmp_path, monkeypatch)
    for name in ("ARCHIVE", "ARCHIVE_REGISTRY", "ARCHIVE_AUTHORIZATION"):
        monkeypatch.delenv(name, raising=False)
    yield created
    created.resume.set()
    server.shutdown()
    server.server_close()
