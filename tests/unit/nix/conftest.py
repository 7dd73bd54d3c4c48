"""What tests of inputs share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pins
import pytest

from tests.unit.nix import world as worlds
from tests.unit.nix.world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Locks of three packages and a wheel; a mirror and a folder that have them; an empty cache."""
    made = worlds.make(tmp_path)
    server = worlds.serve(made)
    monkeypatch.setattr(pins, "LOCKS", tmp_path / "locks")
    for name, value in {
        "SCORE_PROCESSOR_CACHE": str(tmp_path / "cache"),
        "DEBIAN_MIRROR": made.address,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("ARCHIVE", "ARCHIVE_REGISTRY", "ARCHIVE_AUTHORIZATION"):
        monkeypatch.delenv(name, raising=False)
    yield made
    server.shutdown()
    server.server_close()
