"""Instances: their folders, and the description of each in its `instance.json`."""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_aws.exceptions import LocalAwsError
from local_aws.paths import REPOSITORY
from local_aws.processes import Process

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Instance:
    """A running local AWS. `started` is Unix time in seconds; `start_ticks` detects a reused pid."""

    name: str
    pid: int
    start_ticks: int
    started: float
    endpoint: str
    registry: str
    engine: str
    guarantees: dict[str, Any]

    @property
    def process(self) -> Process:
        """Return LocalStack's process."""
        return Process(self.pid, self.start_ticks)

    @property
    def port(self) -> int:
        """Return the gateway's port."""
        return int(self.endpoint.rpartition(":")[2])


def read_default_name() -> str:
    """Return `LOCAL_AWS_NAME`, or `default` if it is unset."""
    return os.environ.get("LOCAL_AWS_NAME") or "default"


def locate_home() -> Path:
    """Return the folder of all instances: `LOCAL_AWS_HOME`, or `.local-aws` in the repository."""
    configured = os.environ.get("LOCAL_AWS_HOME")
    return Path(configured).expanduser().resolve() if configured else REPOSITORY / ".local-aws"


def locate_folder(name: str) -> Path:
    """Return the instance's folder, which need not exist. Raise LocalAwsError for an invalid name."""
    if not NAME.fullmatch(name):
        raise LocalAwsError(f"instance name: got {name!r}, expected at most 31 lower-case letters, digits and hyphens")
    return locate_home() / name


def make_folder(name: str) -> Path:
    """Create the instance's folder, which no other user may read: it holds credentials, messages and logs.

    Idempotent.
    """
    where = locate_folder(name)
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    where.chmod(0o700)  # also what an earlier version or umask left
    if where.parent == REPOSITORY / ".local-aws":
        where.parent.chmod(0o700)
    return where


def list_names() -> list[str]:
    """List the names of instances that have a folder."""
    if not locate_home().is_dir():
        return []
    return sorted(entry.name for entry in locate_home().iterdir() if entry.is_dir() and NAME.fullmatch(entry.name))


def find(name: str | None = None) -> Instance | None:
    """Return the running instance of this name, or None if its process does not run."""
    instance = read(locate_folder(name or read_default_name()))
    return instance if instance and instance.process.is_alive() else None


def read(where: Path) -> Instance | None:
    """Read `instance.json`, whether or not the process still runs."""
    try:
        return Instance(**json.loads((where / "instance.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write(instance: Instance) -> None:
    """Write `instance.json` atomically."""
    target = locate_folder(instance.name) / "instance.json"
    work = target.with_suffix(".new")
    work.write_text(json.dumps(asdict(instance), indent=2) + "\n")
    work.rename(target)


def derive_key(name: str) -> str:
    """Return a short prefix, unique on this machine, for the names of this instance's containers and cgroups."""
    import hashlib

    return hashlib.sha256(str(locate_folder(name)).encode()).hexdigest()[:12]
