"""Run any program inside an image's root, attached to this terminal."""

from collections.abc import Sequence
from pathlib import Path

from local_aws.bubblewrap import Bubblewrap
from local_aws.engine import Container, Engine, Launch
from local_aws.exceptions import InvalidImage
from local_aws.image import Image
from local_aws.plain import create_command, create_environment
from local_aws.sandbox import FunctionSettings
from local_aws.unpack import flatten

# Images without a shell, such as this project's own, usually have Python.
SHELLS = ("bin/bash", "usr/bin/bash", "bin/sh", "usr/bin/sh")
PYTHONS = ("usr/bin/python3", "usr/local/bin/python3", "var/lang/bin/python3")

# The parent ignores Ctrl-C, and Python leaves signals ignored that were ignored when it started.
INTERRUPTIBLE = ("-i", "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); del signal")


def command(image: Image, settings: FunctionSettings, engine: Engine, words: Sequence[str]) -> Launch:
    """Return how to run `words` in the image's root, as a function would run."""
    container = Container(
        name="inside",
        layers=image.layers,
        command=tuple(words),
        environment={**image.environment, **settings.environment},
        working_directory=image.working_directory,
        memory_mb=settings.memory_mb,
        tmp_mb=settings.tmp_mb,
        services=settings.services,
    )
    if isinstance(engine, Bubblewrap):
        return engine.prepare(container, terminal=True)
    root = flatten(list(image.layers), image.layers[0].parent)
    return Launch(create_command(root, container), create_environment(root, container))


def find_default_program(image: Image) -> tuple[str, ...]:
    """Return the image's shell, or else its Python. Raise InvalidImage if it has neither."""
    for path in (*SHELLS, *PYTHONS):
        if any(is_there(layer / path) for layer in image.layers):
            return (f"/{path}", *(INTERRUPTIBLE if path in PYTHONS else ()))
    raise InvalidImage(f"image {image.digest} has neither a shell nor Python. next: name a program that it contains")


def is_there(path: Path) -> bool:
    """Return whether a layer contains `path`, as a file or as a link to anywhere."""
    return path.is_symlink() or path.is_file()
