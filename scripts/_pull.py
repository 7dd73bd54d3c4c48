"""Reads images from a registry: manifests as they are stored, blobs as files, nothing written there."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import httpx

from ._aws import Aws, make
from ._errors import NotFound, OperationFailed
from ._http import LOOPBACK

ACCEPTED = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """`repository@digest` or `repository:tag`."""

    repository: str
    name: str

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.name.startswith('sha256:') else ':'}{self.name}"


@dataclass(frozen=True)
class Source:
    """One repository of a stage's registry. `authorization` goes to the registry only, never where it redirects to."""

    url: str
    repository: str
    authorization: str

    def manifest(self, name: str) -> tuple[str, bytes]:
        """(media type, bytes) of the manifest or index under a tag or digest; NotFound when there is none."""
        with self._get(f"manifests/{name}", Accept=ACCEPTED) as answer:
            data = answer.read()
            return answer.headers.get("Content-Type", ""), data

    @contextmanager
    def blob(self, digest: str) -> Iterator[BinaryIO]:
        """A blob, in a file that is gone at the end; NotFound when there is none."""
        with self._get(f"blobs/{digest}") as answer, tempfile.TemporaryFile() as file:
            for piece in answer.iter_bytes(1 << 20):
                file.write(piece)
            file.seek(0)
            yield cast(BinaryIO, file)

    def has_blob(self, digest: str) -> bool:
        """Whether the registry holds a blob."""
        try:
            with self._get(f"blobs/{digest}", method="HEAD"):
                return True
        except NotFound:
            return False

    @property
    def _is_near(self) -> bool:
        """Whether it is on this machine, where no proxy leads to."""
        return urlsplit(self.url).hostname in LOOPBACK

    @contextmanager
    def _get(self, path: str, *, method: str = "GET", **headers: str) -> Iterator[httpx.Response]:
        url = f"{self.url}/v2/{self.repository}/{path}"
        headers = {"Authorization": self.authorization, "Accept-Encoding": "identity", **headers}
        try:
            with (
                httpx.Client(follow_redirects=True, timeout=60, trust_env=not self._is_near) as client,
                client.stream(method, url, headers=headers) as answer,
            ):
                if answer.status_code == 404:
                    kind, _, name = path.partition("/")
                    what = "image" if kind == "manifests" else "blob"
                    raise NotFound(
                        f"{self.url} holds no {what} {name} in {self.repository}",
                        "make history names those that were deployed; make push sends what was built",
                    )
                if not answer.is_success:
                    raise OperationFailed(f"{url}: {answer.status_code} {answer.reason_phrase}")
                yield answer
        except httpx.TransportError as error:
            raise OperationFailed(
                f"no answer from {self.url}: {error}", "check the network, then run it again"
            ) from error


def parse_reference(text: str, repository: str, host: str) -> Reference:
    """A reference as people write one, with or without the host; a digest alone means `repository`."""
    if text.startswith("sha256:"):
        return Reference(repository, _whole(text))
    text = text.removeprefix(f"{host}/")
    name, mark, digest = text.partition("@")
    if mark:
        return Reference(name, _whole(digest))
    name, _, tag = text.rpartition(":")
    if not name or "/" in tag:
        raise OperationFailed(
            f"{text!r} is neither a file, a folder, nor repository:tag or repository@sha256:…", "check its spelling"
        )
    return Reference(name, tag)


def _whole(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise OperationFailed(
            f"{digest!r} is no digest: expected sha256: and 64 hexadecimal digits", "python -m scripts.history --json"
        )
    return digest


def open_reference(aws: Aws, text: str) -> tuple[Source, Reference]:
    """The repository that a reference names in the stage's registry, signed in, and the reference."""
    grant = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    url = grant["proxyEndpoint"]
    reference = parse_reference(text, aws.stage.repository, urlsplit(url).netloc)
    client = aws.client("ecr")
    try:
        client.describe_repositories(repositoryNames=[reference.repository])
    except (client.exceptions.RepositoryNotFoundException, client.exceptions.InvalidParameterException):
        raise NotFound(
            f"there is no repository {reference.repository} in stage {aws.stage.name}", make("infra-deploy", aws.stage)
        ) from None
    return Source(url, reference.repository, f"Basic {grant['authorizationToken']}"), reference


def pull(source: Source, digest: str, target: Path, near: Path) -> Path:
    """Write an image as a layout into the new folder `target`; blobs that the layout `near` holds are linked.

    OperationFailed when the registry gives other bytes than a digest promises.
    """
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    media_type, data = source.manifest(digest)
    require(digest, "sha256:" + hashlib.sha256(data).hexdigest())
    (blobs / encoded(digest)).write_bytes(data)
    manifest = json.loads(data)
    for descriptor in (manifest["config"], *manifest["layers"]):
        take(source, descriptor["digest"], blobs, near / "blobs" / "sha256")
    named = {"mediaType": media_type, "digest": digest, "size": len(data)}
    (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return target


def take(source: Source, digest: str, blobs: Path, near: Path) -> None:
    """Put one blob among `blobs`."""
    path = blobs / encoded(digest)
    if path.exists():
        return
    if (near / path.name).exists():
        path.hardlink_to(near / path.name)
        return
    found = hashlib.sha256()
    with source.blob(digest) as file, path.open("wb") as out:
        while piece := file.read(1 << 20):
            found.update(piece)
            out.write(piece)
    require(digest, "sha256:" + found.hexdigest())


def encoded(digest: str) -> str:
    """The name of a blob's file."""
    return digest.rpartition(":")[2]


def require(expected: str, got: str) -> None:
    """OperationFailed unless two digests are equal."""
    if expected != got:
        raise OperationFailed(f"the registry gives other bytes than were asked for: expected {expected}, got {got}")
