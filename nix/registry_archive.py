"""Inputs out of an archive in a registry: each is a blob of its own digest there, so no manifest needs to be read."""

import http.client
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import vault
from pins import Input, InputProblem
from revision import REPOSITORY

AT_ONCE = 6
TIMEOUT_S = 60
LOOPBACK = ("127.0.0.1", "localhost", "::1")
STAGE = "stage"
EXPECTED = "expected https://HOST/REPOSITORY (http on loopback), or 'stage' for the registry of STAGE"


@dataclass(frozen=True)
class Repository:
    """A repository of a registry; `authorization` is the value of that header, empty for none."""

    url: str
    name: str
    authorization: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.url}/{self.name}"

    def blob(self, sha256: str) -> urllib.request.Request:
        """The request for a blob. Where the registry sends us elsewhere, the authorization stays behind."""
        request = urllib.request.Request(f"{self.url}/v2/{self.name}/blobs/sha256:{sha256}")
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        return request


def named_repository() -> Repository | None:
    """The repository that ARCHIVE_REGISTRY names; InputProblem when it names none that can be asked."""
    text = os.environ.get("ARCHIVE_REGISTRY", "")
    if not text:
        return None
    if text == STAGE:
        return of_stage()
    parts = urlsplit(text)
    name = parts.path.strip("/")
    if not name or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise InputProblem(f"ARCHIVE_REGISTRY is {text!r}: {EXPECTED}")
    return Repository(f"{parts.scheme}://{parts.netloc}", name, os.environ.get("ARCHIVE_AUTHORIZATION", ""))


def of_stage() -> Repository:
    """The stage's repository, signed in as `make push` is: the credentials and boto3 live in the environment .venv."""
    python = REPOSITORY / ".venv" / "bin" / "python"
    if not python.exists():
        raise InputProblem(f"ARCHIVE_REGISTRY=stage needs the environment .venv: make venv, or {EXPECTED}")
    done = subprocess.run(
        [python, "-m", "scripts.archive", "--address", "--json"], cwd=REPOSITORY, capture_output=True, text=True
    )
    if done.returncode:
        raise InputProblem(f"ARCHIVE_REGISTRY=stage: {done.stderr.strip().removeprefix('error: ')}")
    told = json.loads(done.stdout)
    return Repository(told["url"], told["repository"], told["authorization"])


def from_registry(lack: Sequence[Input], repository: Repository, work: Path) -> dict[Input, str]:
    """Take what the repository holds of these into the cache; for all others why not."""
    handlers = [urllib.request.ProxyHandler({})] if urlsplit(repository.url).hostname in LOOPBACK else []
    opener, folder = urllib.request.build_opener(*handlers), vault.made(work / "registry")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = list(pool.map(lambda one: take(one, repository, opener, folder / one.file_name), lack))
    return {one: why for one, why in zip(lack, said, strict=True) if why}


def take(one: Input, repository: Repository, opener: urllib.request.OpenerDirector, path: Path) -> str:
    """Take one blob; empty, or why it was not taken."""
    try:
        with opener.open(repository.blob(one.sha256), timeout=TIMEOUT_S) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except urllib.error.HTTPError as error:
        return f"{repository}: HTTP {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{repository}: {getattr(error, 'reason', error) or type(error).__name__}"
    if wrong := vault.mismatch(one, path):
        path.unlink()
        return f"{repository}: {wrong}"
    vault.take(path, one)
    return ""
