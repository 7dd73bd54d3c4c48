"""The built image, and a copy of it in which a probe takes the handler's place."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import build
from local_aws.run_image import run_image
from local_aws.sandbox import FunctionSettings
from oci.app import app_contents
from oci.config import labels
from oci.layer import write_layer
from oci.layout import write_layout

PROBE = Path(__file__).with_name("probe")

Check = Callable[..., Any]


@pytest.fixture(scope="session")
def image() -> dict[str, Any]:
    """What build/image.json says about the image of this work tree, which is built first."""
    return build.build()


@pytest.fixture(scope="session")
def layout(image: dict[str, Any]) -> Path:
    """The folder of the built image."""
    return build.DEFAULT_OUTPUT


@pytest.fixture(scope="session")
def probed(image: dict[str, Any], layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built image with the probe in place of the handler."""
    work = tmp_path_factory.mktemp("probed")
    folders = []
    for record in image["layers"][:-1]:
        folder = work / record["name"]
        folder.mkdir()
        os.link(layout / "blobs" / "sha256" / record["digest"][7:], folder / "blob")
        (folder / "layer.json").write_text(json.dumps(record))
        folders.append(folder)
    write_layer("probe", app_contents([PROBE / "handler"], None), work / "probe")
    write_layout(work / "layout", [*folders, work / "probe"], labels("probe", None, None))
    return work / "layout"


@pytest.fixture(scope="session")
def check(probed: Path) -> Iterator[Check]:
    """Run one of the probe's checks inside the image, behind the real runtime client, and return what it returns."""
    with run_image(probed, FunctionSettings(memory_mb=2048, timeout_s=60)) as function:

        def run(name: str, argument: Any = None) -> Any:
            reply = function.invoke({"check": name, "argument": argument})
            assert not reply.error, reply.payload.decode() + reply.log
            return json.loads(reply.payload)

        yield run
