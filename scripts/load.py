"""Load the built image into Docker or Podman, and verify the loaded layers.

score-processor load
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

from .checkout.layout import LocalImage, read_local_image
from .command.shell import Shell
from .command.verb import verb
from .console.errors import NotFound, OperationFailed
from .images.local_run import find_layout, image_option

ENGINES = ("docker", "podman")
# The layout's Docker half: with index.json in the archive, Podman would tag the image `latest`.
SAVED = ("manifest.json", "blobs")


@dataclass(frozen=True)
class LoadedImage:
    """The loaded image; `image_id` is the config's digest, or the manifest's if the engine uses containerd's store."""

    engine: str
    name: str
    image_id: str


def load(image: LocalImage, layout: Path, engine: Sequence[str]) -> LoadedImage:
    """Stream the layout into an engine; OperationFailed if it rejects the image or has other layers than the build.

    The archive is not stored: the engine reads it while it is written. An image of the same name and tag is replaced.
    """
    loading = subprocess.Popen(
        [*engine, "load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False
    )
    assert loading.stdin is not None
    # The thread owns stdin; `communicate` drains stdout and stderr, either of which would block the engine when full.
    pipe, loading.stdin = loading.stdin, None
    writer = threading.Thread(target=write_archive, args=(layout, pipe))
    writer.start()
    output, problems = (stream.decode(errors="replace") for stream in loading.communicate())
    writer.join()
    if loading.returncode:
        raise OperationFailed(
            f"{engine[0]} load: {problems.strip() or output.strip()}", "check that the engine runs and has free space"
        )
    name = name_of(layout)
    image_id, layers = inspect(engine, name)
    built = json.loads(image.config.path.read_bytes())["rootfs"]["diff_ids"]
    if layers != built:
        raise OperationFailed(
            f"{engine[0]}: layers of {name}: got {len(layers)} that differ from the build's {len(built)}",
            "run it again",
        )
    return LoadedImage(engine[0], name, image_id)


def write_archive(layout: Path, pipe: IO[bytes]) -> None:
    """Write the layout as a tar until the reader closes the pipe.

    Closes the pipe in any case.
    """
    try:
        with pipe, tarfile.open(fileobj=pipe, mode="w|") as archive:
            for name in SAVED:
                archive.add(layout / name, name)
    except BrokenPipeError:  # the engine reports the reason on its standard error
        return


def name_of(layout: Path) -> str:
    """Return the image's name in the layout."""
    (saved,) = json.loads((layout / "manifest.json").read_bytes())
    return str(saved["RepoTags"][0])


def inspect(engine: Sequence[str], name: str) -> tuple[str, list[str]]:
    """Return (id, diff_ids of the layers) of an image in an engine; empty if the engine does not have it."""
    done = subprocess.run([*engine, "image", "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode:
        return "", []
    image: dict[str, Any] = json.loads(done.stdout)[0]
    return f"sha256:{image['Id'].removeprefix('sha256:')}", image["RootFS"]["Layers"]


def choose(wanted: str | None) -> list[str]:
    """Return the first engine that responds, or the wanted one; NotFound with each engine's message.

    Docker comes first. An engine is asked for its information, which fails without a running daemon.
    """
    answers = {}
    for engine in (wanted,) if wanted else ENGINES:
        answers[engine] = "not installed"
        if shutil.which(engine):
            done = subprocess.run([engine, "info"], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return [engine]
            answers[engine] = (done.stderr.strip().splitlines() or ["no response"])[-1]
    reasons = "; ".join(f"{engine}: {answer}" for engine, answer in answers.items())
    raise NotFound(f"no container engine responds ({reasons})", "make run and make shell work without one")


def _render(loaded: LoadedImage, shell: Shell) -> None:
    shell.console.print(f"loaded {loaded.name} into {loaded.engine}, id {loaded.image_id}", markup=False)
    shell.console.print(f"{loaded.engine} run --rm --entrypoint /usr/bin/python3.11 -it {loaded.name}", markup=False)


@verb(render=_render)
@image_option
@click.option("--engine", type=click.Choice(ENGINES), help="The engine (default: the first that responds).")
def main(_: Shell, image: Path | None, engine: str | None) -> LoadedImage:
    """Load the image into Docker or Podman."""
    layout = find_layout(image)
    return load(read_local_image(layout), layout, choose(engine))
