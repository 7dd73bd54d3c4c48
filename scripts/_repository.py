"""The stage's repository, as AWS's own interface tells of it; `_registry` speaks to the registry itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._aws import Aws, make
from ._errors import NotFound

if TYPE_CHECKING:
    from ._registry import Registry


def repository_uri(aws: Aws) -> str:
    """The URI of the stage's repository; NotFound when there is none."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        return str(client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])
    except client.exceptions.RepositoryNotFoundException:
        raise NotFound(
            f"there is no repository {name} in stage {aws.stage.name}", make("infra-deploy", aws.stage)
        ) from None


def holds(aws: Aws, digest: str) -> bool:
    """Whether the stage's repository holds the image; AWS is asked, since a registry has to be signed in to."""
    client = aws.client("ecr")
    try:
        client.describe_images(repositoryName=aws.stage.repository, imageIds=[{"imageDigest": digest}])
    except client.exceptions.ImageNotFoundException:
        return False
    return True


def connect(aws: Aws) -> Registry:
    """A client of the stage's repository, signed in."""
    from ._registry import Registry

    grant = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    return Registry(grant["proxyEndpoint"], aws.stage.repository, f"Basic {grant['authorizationToken']}")
