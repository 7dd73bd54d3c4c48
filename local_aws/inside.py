"""Any program inside an image's root, attached to this terminal: for looking around."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_aws.bubblewrap import Bubblewrap
from local_aws.engine import Container, Engine
from local_aws.exceptions import InvalidImage
from local_aws.image import Image
from local_aws.plain import plain_command, plain_environment
from local_aws.sandbox import FunctionSettings
from local_aws.unpack import flatten

# Where there is no shell, Python: what functions of this project run in anyway.
SHELLS = ("bin/bash", "usr/bin/bash", "bin/sh", "usr/bin/sh")
PYTHONS = ("usr/bin/python3", "usr/local/bin/python3", "var/lang/bin/python3")

# Whoever opens it ignores Ctrl-C, and what is ignored at the start Python leaves ignored.
INTERRUPTIBLE = ("-i", "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); del signal")


@dataclass(frozen=True)
class Command:
    """What to start on the host, and with which variables."""

    words: tuple[str, ...]
    environment: Mapping[str, str]


def command(image: Image, settings: FunctionSettings, engine: Engine, words: Sequence[str]) -> Command:
    """How `words` are started in the image's root, as a function's user, in its working folder, with its variables."""
    container = Container(
        name="inside",
        layers=image.layers,
        command=tuple(words),
        environment={**image.environment, **settings.environment},
        working_directory=image.working_directory,
        memory_mb=settings.memory_mb,
        tmp_mb=settings.tmp_mb,
    )
    if isinstance(engine, Bubblewrap):
        # A session of its own would have no terminal.
        return Command(tuple(word for word in engine.command(container) if word != "--new-session"), {})
    root = flatten(list(image.layers), image.layers[0].parent)
    return Command(tuple(plain_command(root, container)), plain_environment(root, container))


def interactive(image: Image) -> tuple[str, ...]:
    """A shell of the image's own, else its Python; InvalidImage when it has neither."""
    for path in (*SHELLS, *PYTHONS):
        if any(is_there(layer / path) for layer in image.layers):
            return (f"/{path}", *(INTERRUPTIBLE if path in PYTHONS else ()))
    raise InvalidImage(f"image {image.digest} has no shell and no Python; name a program that it has")


def is_there(path: Path) -> bool:
    """Whether a layer holds a file or a link, wherever that leads in the whole image."""
    return path.is_symlink() or path.is_file()
