"""The stage's ECR repository: lookups through AWS's API, and image references. `registry` is the registry's client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nix.oci.digest import DIGEST

from ..checkout import git
from ..checkout.layout import find_local_image
from ..console.errors import NotFound, OperationFailed
from . import ledger
from .clients import Aws, make

if TYPE_CHECKING:
    from .registry import Registry


@dataclass(frozen=True)
class Reference:
    """An image reference: `repository@digest` or `repository:tag`; `name` is the digest or the tag."""

    repository: str
    name: str

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.name.startswith('sha256:') else ':'}{self.name}"


def find_repository_uri(aws: Aws) -> str:
    """Return the URI of the stage's repository; NotFound if it does not exist."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        return str(client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except client.exceptions.RepositoryNotFoundException:
        raise NotFound(f"stage {aws.stage.name} has no repository {name}", make("infra-deploy", aws.stage)) from None


def holds(aws: Aws, digest: str) -> bool:
    """Return whether the stage's repository has the image, by AWS's API: the registry would need a login first."""
    client = aws.client("ecr")
    try:
        client.describe_images(repositoryName=aws.stage.repository, imageIds=[{"imageDigest": digest}])
    except client.exceptions.ImageNotFoundException:
        return False
    return True


def connect(aws: Aws) -> Registry:
    """Return an authenticated client of the stage's repository."""
    from .registry import Registry

    grant = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    return Registry(grant["proxyEndpoint"], aws.stage.repository, f"Basic {grant['authorizationToken']}")


def find_image_uri(aws: Aws, digest: str) -> str:
    """Return the URI by digest of an image in the stage's repository; NotFound if it does not exist."""
    uri = find_repository_uri(aws)
    if not holds(aws, digest):
        raise NotFound(
            f"repository {aws.stage.repository} in stage {aws.stage.name} has no image {digest}", _way_to(aws, digest)
        )
    return f"{uri}@{digest}"


def _way_to(aws: Aws, digest: str) -> str:
    """Return the command that pushes an image: from this checkout if it built the image, else from its commit."""
    built = find_local_image()
    if built is None or built.digest == digest:
        return make("push", aws.stage)
    known = next((one for one in ledger.read_entries(aws, 100) or () if one.digest == digest), None)
    if known is None or known.commit in ("", git.UNKNOWN):
        return f"this checkout built {built.digest}: push it from the host that built {digest}"
    return f"git checkout {known.commit} && {make('build push', aws.stage)}: this checkout built another image"


def parse_reference(text: str, repository: str, host: str) -> Reference:
    """Parse a reference, with or without the host; a digest alone refers to `repository`.

    Tags are not looked up. OperationFailed for a digest that is not sha256 in full, and for a name without a tag.
    """
    if text.startswith("sha256:"):
        return Reference(repository, _require_digest(text))
    text = text.removeprefix(f"{host}/")
    name, mark, digest = text.partition("@")
    if mark:
        return Reference(name, _require_digest(digest))
    name, _, tag = text.rpartition(":")
    if not name or "/" in tag:
        raise OperationFailed(
            f"image {text!r}: expected a file, a folder, repository:tag or repository@sha256:…", "check the spelling"
        )
    return Reference(name, tag)


def _require_digest(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise OperationFailed(
            f"digest: got {digest!r}, expected sha256: and 64 hexadecimal digits", "score-processor history --json"
        )
    return digest


def open_reference(aws: Aws, text: str) -> tuple[Registry, Reference]:
    """Return the repository that a reference names in the stage's registry, authenticated, and the reference.

    NotFound if the registry has no such repository; whether the tag or digest exists is found out by the first read.
    The token is valid for twelve hours.
    """
    client = aws.client("ecr")
    grant = client.get_authorization_token()["authorizationData"][0]
    url = grant["proxyEndpoint"]
    reference = parse_reference(text, aws.stage.repository, urlsplit(url).netloc)
    try:
        client.describe_repositories(repositoryNames=[reference.repository])
    except (client.exceptions.RepositoryNotFoundException, client.exceptions.InvalidParameterException):
        raise NotFound(
            f"stage {aws.stage.name} has no repository {reference.repository}", make("infra-deploy", aws.stage)
        ) from None
    from .registry import Registry

    return Registry(url, reference.repository, f"Basic {grant['authorizationToken']}"), reference
