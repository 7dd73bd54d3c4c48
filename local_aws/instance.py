"""Instances: their folders, and what each one's `instance.json` tells about it."""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local_aws.exceptions import LocalAwsError
from local_aws.processes import Process
from local_aws.tools import REPOSITORY

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Instance:
    """A local AWS. `started` is Unix time in seconds, `start_ticks` tells its process from another of the same pid."""

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
        """LocalStack's process."""
        return Process(self.pid, self.start_ticks)

    @property
    def port(self) -> int:
        """The gateway's port."""
        return int(self.endpoint.rpartition(":")[2])


def default_name() -> str:
    """`LOCAL_AWS_NAME`, else `default`."""
    return os.environ.get("LOCAL_AWS_NAME") or "default"


def home() -> Path:
    """The folder of all instances: `LOCAL_AWS_HOME`, else `.local-aws` in the repository."""
    given = os.environ.get("LOCAL_AWS_HOME")
    return Path(given).expanduser().resolve() if given else REPOSITORY / ".local-aws"


def folder(name: str) -> Path:
    """The instance's folder, made or not; LocalAwsError for a name that is no folder name."""
    if not NAME.fullmatch(name):
        raise LocalAwsError(f"instance name {name!r}: expected lower-case letters, digits and hyphens, at most 31")
    return home() / name


def names() -> list[str]:
    """The instances that have a folder."""
    if not home().is_dir():
        return []
    return sorted(entry.name for entry in home().iterdir() if entry.is_dir() and NAME.fullmatch(entry.name))


def find(name: str | None = None) -> Instance | None:
    """The running instance of this name; None when there is none or its process is gone."""
    instance = read(folder(name or default_name()))
    return instance if instance and instance.process.alive() else None


def read(where: Path) -> Instance | None:
    """What `instance.json` says, whether or not the process lives."""
    try:
        return Instance(**json.loads((where / "instance.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write(instance: Instance) -> None:
    """Write `instance.json`, whole or not at all."""
    target = folder(instance.name) / "instance.json"
    work = target.with_suffix(".new")
    work.write_text(json.dumps(asdict(instance), indent=2) + "\n")
    work.rename(target)


def key(name: str) -> str:
    """A short name that is this instance's alone on this machine: containers and cgroups begin with it."""
    import hashlib

    return hashlib.sha256(str(folder(name)).encode()).hexdigest()[:12]
