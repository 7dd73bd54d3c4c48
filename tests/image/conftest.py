"""The built image, and a copy with a probe in place of the handler."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.run_image import run_image
from local_aws.sandbox import FunctionSettings
from nix import build
from nix.oci.app import collect_app
from nix.oci.config import create_labels
from nix.oci.layer import write_layer
from nix.oci.layout import link, write_layout
from nix.reproducible import Variant, copy_source
from tests.checkouts import git

PROBE = Path(__file__).with_name("probe")

Check = Callable[..., Any]


@pytest.fixture(scope="session")
def image() -> dict[str, Any]:
    """The record of this work tree's image, which is built first."""
    return build.build()


@pytest.fixture(scope="session")
def layout(image: dict[str, Any]) -> Path:
    """The layout of the built image."""
    return build.DEFAULT_OUTPUT


@pytest.fixture
def clone(image: dict[str, Any], tmp_path: Path) -> Path:
    """A clone with this work tree's files, committed; `image` has made its layers already."""
    copy_source(tmp_path / "clone", Variant("clone", ""))
    for words in (["add", "--all"], ["commit", "--quiet", "--allow-empty", "-m", "as it is"]):
        git(tmp_path / "clone", *words)
    return tmp_path / "clone"


@pytest.fixture
def archive(clone: Path, tmp_path: Path) -> Path:
    """The clone's commit as `git archive` packs it, extracted."""
    folder = tmp_path / "archive"
    folder.mkdir()
    packed = subprocess.run(["git", "-C", str(clone), "archive", "HEAD"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder


@pytest.fixture(scope="session")
def probed(image: dict[str, Any], layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built image with the probe in place of the handler."""
    work = tmp_path_factory.mktemp("probed")
    folders = []
    for record in image["layers"][:-1]:
        folder = work / record["name"]
        folder.mkdir()
        link(layout / "blobs" / "sha256" / record["digest"][7:], folder / "blob")
        (folder / "layer.json").write_text(json.dumps(record))
        folders.append(folder)
    write_layer("probe", collect_app([PROBE / "handler"], None), work / "probe")
    write_layout(work / "layout", [*folders, work / "probe"], create_labels("probe", None, None))
    return work / "layout"


@pytest.fixture(scope="session")
def check(probed: Path) -> Iterator[Check]:
    """Run one of the probe's checks in the image, under the real runtime client, and return its result."""
    with run_image(probed, FunctionSettings(memory_mb=2048, timeout_s=60)) as function:

        def run(name: str, argument: Any = None) -> Any:
            reply = function.invoke({"check": name, "argument": argument})
            assert not reply.error, reply.payload.decode() + reply.log
            return json.loads(reply.payload)

        yield run
