"""The plain engine: the image's own loader on a flattened copy, without isolation, where namespaces are refused."""

from pathlib import Path

from local_aws.engine import Container, Guarantees, Launch, Running, launch
from local_aws.exceptions import InvalidImage
from local_aws.tools import LIBRARIES, loader_command
from local_aws.unpack import flatten

PATHS = ("PYTHONPATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "LAMBDA_TASK_ROOT", "LD_LIBRARY_PATH")


class Plain:
    """Runs containers as the caller, on the host's file system; only memory and time are limited."""

    name = "plain"
    guarantees = Guarantees(
        read_only_root=False,
        private_tmp=False,
        own_user=False,
        own_pids=False,
        memory_limit="watcher",
        freeze="signal",
    )

    def start(self, container: Container, output: int) -> Running:
        """Start a container."""
        root = flatten(list(container.layers), container.layers[0].parent)
        start = Launch(plain_command(root, container), plain_environment(root, container), tied=True)
        return launch(start, container, output, None)


def plain_command(root: Path, container: Container) -> list[str]:
    """The image's entry point by the image's loader, in its working directory."""
    program, *arguments = container.command
    if not (root / LIBRARIES / "ld-linux-x86-64.so.2").exists():
        raise InvalidImage("the plain engine runs images with glibc in usr/lib/x86_64-linux-gnu; this one has none")
    start = loader_command(root, root / program.lstrip("/"))
    folder = root / container.working_directory.lstrip("/")
    return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *start, *arguments]


def plain_environment(root: Path, container: Container) -> dict[str, str]:
    """The container's environment, with paths of the image pointing into the flattened copy."""
    environment = dict(container.environment)
    for name in PATHS:
        if value := environment.get(name):
            entries = [str(root / entry.lstrip("/")) if entry.startswith("/") else entry for entry in value.split(":")]
            environment[name] = ":".join(entries)
    environment.setdefault("PYTHONHOME", str(root / "usr"))
    return environment
