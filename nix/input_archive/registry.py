"""Fetch inputs from an archive in a registry. Each input is a blob of its own digest, so no manifest is read."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from nix.cache import input_cache
from nix.clients.http_download import download
from nix.pins import Input, InputProblem
from nix.revision import REPOSITORY

AT_ONCE = 6
LOOPBACK = ("127.0.0.1", "localhost", "::1")
STAGE = "stage"
EXPECTED = "expected https://HOST/REPOSITORY (http on loopback), or 'stage' for the registry of STAGE"


@dataclass(frozen=True)
class Repository:
    """A repository of a registry; `authorization` is the value of the Authorization header, or empty."""

    url: str
    name: str
    authorization: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.url}/{self.name}"

    def blob(self, sha256: str) -> urllib.request.Request:
        """Return the request for a blob; a redirect is followed without the authorization."""
        request = urllib.request.Request(f"{self.url}/v2/{self.name}/blobs/sha256:{sha256}")
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        return request


def read_named_repository() -> Repository | None:
    """Return the repository that ARCHIVE_REGISTRY names, None if unset; InputProblem if it cannot be used."""
    text = os.environ.get("ARCHIVE_REGISTRY", "")
    if not text:
        return None
    if text == STAGE:
        return of_stage()
    parts = urlsplit(text)
    name = parts.path.strip("/")
    if not name or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise InputProblem(f"ARCHIVE_REGISTRY: got {text!r}, {EXPECTED}")
    return Repository(f"{parts.scheme}://{parts.netloc}", name, os.environ.get("ARCHIVE_AUTHORIZATION", ""))


def of_stage() -> Repository:
    """Return the stage's repository, signed in as `make push` is: that needs boto3 of the environment .venv.

    InputProblem if that environment does not exist, or the stage cannot be signed in to.
    """
    python = REPOSITORY / ".venv" / "bin" / "python"
    if not python.exists():
        raise InputProblem("ARCHIVE_REGISTRY=stage: no environment .venv\nnext: make venv")
    done = subprocess.run(
        [python, "-m", "scripts", "archive", "--address", "--json"], cwd=REPOSITORY, capture_output=True, text=True
    )
    if done.returncode:
        raise InputProblem(f"ARCHIVE_REGISTRY=stage: {done.stderr.strip().removeprefix('error: ')}")
    address = json.loads(done.stdout)
    return Repository(address["url"], address["repository"], address["authorization"])


def from_registry(wanted: Sequence[Input], repository: Repository, work: Path) -> dict[Input, str]:
    """Fetch inputs into the cache; returns the reason for each that failed."""
    handlers = [urllib.request.ProxyHandler({})] if urlsplit(repository.url).hostname in LOOPBACK else []
    client, folder = urllib.request.build_opener(*handlers), input_cache.ensure_folder(work / "registry")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reasons = list(pool.map(lambda one: take(one, repository, client, folder / one.file_name), wanted))
    return {one: reason for one, reason in zip(wanted, reasons, strict=True) if reason}


def take(input_: Input, repository: Repository, client: urllib.request.OpenerDirector, path: Path) -> str:
    """Fetch one input from its blob; return the reason if that fails, else an empty string.

    What is wrong or incomplete is removed; `path` is on the cache's file system.
    """
    if problem := download(client, repository.blob(input_.sha256), path):
        return f"{repository}: {problem.reason}"
    if wrong := input_cache.find_mismatch(input_, path):
        path.unlink()
        return f"{repository}: {wrong}"
    input_cache.store(path, input_)
    return ""
