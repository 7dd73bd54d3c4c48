"""Plain engine, for hosts without user namespaces: the image's loader runs a flattened copy, without isolation."""

from pathlib import Path

from local_aws.engine import Container, Guarantees, Launch, Running, launch
from local_aws.exceptions import InvalidImage
from local_aws.sysroot import LIBRARIES, create_loader_command
from local_aws.unpack import flatten

PATHS = ("PYTHONPATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "LAMBDA_TASK_ROOT", "LD_LIBRARY_PATH")


class Plain:
    """Run containers as the calling user on the host's file system, with limits on memory and time only."""

    name = "plain"

    def __init__(self, reason: str = "") -> None:
        """Create the engine; `reason` says why it is used instead of an isolating one."""
        self.guarantees = Guarantees(
            read_only_root=False,
            private_tmp=False,
            own_user=False,
            own_pids=False,
            filtered_calls=False,
            own_network=False,
            memory_limit="watcher",
            freeze="signal",
            reason=reason,
        )

    def start(self, container: Container, output: int) -> Running:
        """Start a container."""
        root = flatten(list(container.layers), container.layers[0].parent)
        start = Launch(create_command(root, container), create_environment(root, container), tied=True)
        return launch(start, container, output, None)


def create_command(root: Path, container: Container) -> list[str]:
    """Return the command that runs the image's entry point with the image's loader, in its working directory.

    Raises InvalidImage if the image has no glibc, whose loader starts the program.
    """
    program, *arguments = container.command
    if not (root / LIBRARIES / "ld-linux-x86-64.so.2").exists():
        raise InvalidImage("the plain engine needs glibc in usr/lib/x86_64-linux-gnu, which this image does not have")
    start = create_loader_command(root, root / program.lstrip("/"))
    folder = root / container.working_directory.lstrip("/")
    return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *start, *arguments]


def create_environment(root: Path, container: Container) -> dict[str, str]:
    """Return the container's environment, with image paths rewritten into the flattened copy."""
    environment = dict(container.environment)
    for name in PATHS:
        if value := environment.get(name):
            entries = [str(root / entry.lstrip("/")) if entry.startswith("/") else entry for entry in value.split(":")]
            environment[name] = ":".join(entries)
    environment.setdefault("PYTHONHOME", str(root / "usr"))
    return environment
