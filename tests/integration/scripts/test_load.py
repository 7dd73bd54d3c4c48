"""Loading the image into a container engine."""

import json
import sys
from pathlib import Path

import pytest

from scripts.checkout.layout import read_image
from scripts.console.errors import OperationFailed
from scripts.load import load
from tests.layouts import Layer, write_layout

NAME = "plexus/score-processor-lambda:test"
ENGINE = """
import io, json, sys, tarfile
kept, mood = {kept!r}, {mood!r}
if sys.argv[1] == "load":
    for number in range(5000):
        print("Copying blob", number, "done, as engines tell at length", file=sys.stderr)
    if mood == "refuses":
        sys.exit("no space left on device")
    archive = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
    (saved,) = json.load(archive.extractfile("manifest.json"))
    config = archive.extractfile(saved["Config"]).read()
    open(kept, "wb").write(config)
else:
    layers = json.load(open(kept, "rb"))["rootfs"]["diff_ids"]
    image = {{"Id": "sha256:1", "RootFS": {{"Layers": layers if mood == "works" else layers[:-1]}}}}
    print(json.dumps([image]))
"""


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Return a layout with one layer and Docker's manifest."""
    folder = tmp_path / "layout"
    write_layout(folder, [Layer(files={"a": b"1"}), Layer(files={"b": b"2"})], {"Cmd": ["a"]})
    config = f"blobs/sha256/{read_image(folder).config.digest.partition(':')[2]}"
    (folder / "manifest.json").write_text(json.dumps([{"Config": config, "RepoTags": [NAME], "Layers": []}]))
    return folder


def engine(tmp_path: Path, mood: str) -> list[str]:
    """Return the command line of a fake engine with verbose output."""
    program = tmp_path / "engine.py"
    program.write_text(ENGINE.format(kept=str(tmp_path / "kept"), mood=mood))
    return [sys.executable, str(program)]


def test_an_engine_that_talks_much_is_heard_to_the_end(layout: Path, tmp_path: Path) -> None:
    """An engine's output on standard error does not block the load."""
    loaded = load(read_image(layout), layout, engine(tmp_path, "works"))
    assert (loaded.name, loaded.image_id) == (NAME, "sha256:1")


@pytest.mark.parametrize(
    ("mood", "said"),
    [("refuses", "no space left on device"), ("loses", "layers of plexus/score-processor-lambda:test")],
)
def test_an_engine_that_does_not_hold_it_is_an_error(layout: Path, tmp_path: Path, mood: str, said: str) -> None:
    """The engine's error message is reported, and so are layers that differ from the build's."""
    with pytest.raises(OperationFailed, match=said):
        load(read_image(layout), layout, engine(tmp_path, mood))
