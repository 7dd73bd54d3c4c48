"""Load the built image into Docker or Podman, and check that what they hold is what was built.

python -m scripts.load
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

from ._command import Shell, verb
from ._errors import NotFound, OperationFailed
from ._image import LocalImage, local_image
from ._local_image import layout_folder

ENGINES = ("docker", "podman")
# A Docker archive, which every engine reads under its name; with the index beside it Podman would call it `latest`.
SAVED = ("manifest.json", "blobs")


@dataclass(frozen=True)
class Loaded:
    """What an engine holds now: `image_id` is the config's digest, but with containerd's store a manifest's."""

    engine: str
    name: str
    image_id: str


def load(image: LocalImage, layout: Path, engine: Sequence[str]) -> Loaded:
    """Stream the layout into an engine and look what it holds; OperationFailed with its own words when it refuses."""
    loading = subprocess.Popen(
        [*engine, "load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False
    )
    assert loading.stdin is not None
    # The thread has it from now on; `communicate` reads both others, so that neither fills up and stops the engine.
    pipe, loading.stdin = loading.stdin, None
    writer = threading.Thread(target=write_archive, args=(layout, pipe))
    writer.start()
    said, problems = (told.decode(errors="replace") for told in loading.communicate())
    writer.join()
    if loading.returncode:
        raise OperationFailed(f"{engine[0]} load: {problems.strip() or said.strip()}", "see that it runs and has room")
    name = name_of(layout)
    image_id, layers = inspect(engine, name)
    built = json.loads(image.config.path.read_bytes())["rootfs"]["diff_ids"]
    if layers != built:
        raise OperationFailed(f"{engine[0]} holds other layers as {name} than were built", "run it again")
    return Loaded(engine[0], name, image_id)


def write_archive(layout: Path, pipe: IO[bytes]) -> None:
    """The layout as a tar, as far as the other end reads."""
    try:
        with pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
            for name in SAVED:
                archive.add(layout / name, name)
    except BrokenPipeError:  # it says why on its standard error
        return


def name_of(layout: Path) -> str:
    """The name that the layout gives to engines."""
    (saved,) = json.loads((layout / "manifest.json").read_bytes())
    return str(saved["RepoTags"][0])


def inspect(engine: Sequence[str], name: str) -> tuple[str, list[str]]:
    """(id, diff_ids of the layers) of an image in an engine; nothing of one that it does not hold."""
    done = subprocess.run([*engine, "image", "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode:
        return "", []
    told: dict[str, Any] = json.loads(done.stdout)[0]
    return f"sha256:{told['Id'].removeprefix('sha256:')}", told["RootFS"]["Layers"]


def choose(wanted: str | None) -> list[str]:
    """The engine that works here, or the wanted one; NotFound says what each one answered."""
    answers = {}
    for engine in (wanted,) if wanted else ENGINES:
        answers[engine] = "not installed"
        if shutil.which(engine):
            done = subprocess.run([engine, "info"], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return [engine]
            answers[engine] = (done.stderr.strip().splitlines() or ["it does not answer"])[-1]
    told = "; ".join(f"{engine}: {answer}" for engine, answer in answers.items())
    raise NotFound(f"there is no container engine to load the image into ({told})", "make run and make shell need none")


def _render(loaded: Loaded, shell: Shell) -> None:
    shell.console.print(f"{loaded.engine} holds {loaded.name}, id {loaded.image_id}", markup=False)
    shell.console.print(f"{loaded.engine} run --rm --entrypoint /usr/bin/python3.11 -it {loaded.name}", markup=False)


@verb(render=_render)
@click.option("--image", type=click.Path(path_type=Path), help="An OCI layout folder (default: build/image).")
@click.option("--engine", type=click.Choice(ENGINES), help="Docker or Podman (default: the first that answers).")
def main(_: Shell, image: Path | None, engine: str | None) -> Loaded:
    """Load the image into Docker or Podman under its name."""
    layout = layout_folder(image)
    return load(local_image(layout), layout, choose(engine))


if __name__ == "__main__":
    main()
