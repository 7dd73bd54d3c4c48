"""`make archive`: what the stage's registry keeps is enough to build the image again, with nothing else to ask."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from nix import pins
from nix.input_archive import registry as registry_archive
from tests.e2e.conftest import Demo

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "http://127.0.0.1:9/none"


def archive(demo: Demo, *words: str) -> dict[str, object]:
    """Run the verb; what it did."""
    done = demo.run("archive", "--json", *words)
    assert done.returncode == 0, done.stderr
    output: dict[str, object] = json.loads(done.stdout)
    return output


def test_the_image_is_built_from_the_registry_alone(demo: Demo, tmp_path: Path) -> None:
    """From an empty cache, with mirrors and an index that do not answer, the archive gives the same digest."""
    assert archive(demo)["action"] == "pushed"
    address = archive(demo, "--address")
    environment = {
        **os.environ,
        "SCORE_PROCESSOR_CACHE": str(tmp_path / "cache"),
        "ARCHIVE_REGISTRY": f"{address['url']}/{address['repository']}",
        "ARCHIVE_AUTHORIZATION": str(address["authorization"]),
        "DEBIAN_MIRROR": NOWHERE,
        "PIP_INDEX_URL": NOWHERE,
        "PIP_CONFIG_FILE": os.devnull,
    }
    command = [sys.executable, "-m", "nix.build", "--json", "--output", str(tmp_path / "image")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr
    built = json.loads(done.stdout)
    assert built["layers"] == json.loads((ROOT / "build/image.json").read_bytes())["layers"]
    assert "from http://127.0.0.1" in done.stderr
    assert "as apt and pip are configured" not in done.stderr


def test_an_archive_is_sent_once(demo: Demo) -> None:
    """A second archive of the same inputs sends nothing, and has a tag that the lifecycle keeps."""
    archive(demo)
    again = archive(demo)
    assert (again["action"], again["sent_bytes"]) == ("unchanged", 0)
    assert str(again["tag"]).startswith("deployed-inputs-")


def test_the_stage_says_where_its_archive_is(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARCHIVE_REGISTRY=stage finds the repository and signs in as the stage's verbs do."""
    archive(demo)
    monkeypatch.setenv("LOCAL_AWS_NAME", demo.name)
    monkeypatch.setenv("STAGE", "local")
    (entry, *_) = pins.list_inputs("nix")
    repository = registry_archive.of_stage()
    asked = {"Authorization": repository.authorization}
    answer = httpx.get(repository.blob(entry.sha256).full_url, headers=asked, trust_env=False)
    assert (answer.status_code, len(answer.content)) == (200, entry.size)
