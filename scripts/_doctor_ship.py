"""The doctor's look at what is shipped and by whom: tools, credentials, clock, repository, image."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from . import _guard, _release, deploy
from ._aws import Aws, make
from ._finding import BAD, LOOK, OK, Finding
from ._image import find_local_image
from ._text import short

SKEW_S = 30
MEDIA_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


def prerequisites(_: Aws) -> Finding:
    """prerequisites: Python, git and make, as the README asks for."""
    lacking = [tool for tool in ("git", "make") if shutil.which(tool) is None]
    version = ".".join(map(str, sys.version_info[:3]))
    if lacking:
        return Finding(
            "prerequisites", BAD, f"absent: {', '.join(lacking)}", "install them with your system's packages"
        )
    return Finding("prerequisites", OK, f"Python {version}, git, make")


def credentials(aws: Aws) -> Finding:
    """credentials: they work, and are of the stage's account."""
    identity = aws.client("sts").get_caller_identity()
    _guard.require_account(aws)
    return Finding("credentials", OK, f"{identity['Arn']} in {aws.stage.region}")


def clock(aws: Aws) -> Finding:
    """clock: this machine's differs little from AWS's; requests signed too early or too late are refused."""
    answer = aws.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    if skew > SKEW_S:
        return Finding("clock", BAD, f"it differs by {skew:.0f} s from AWS's", "set it: timedatectl set-ntp true")
    return Finding("clock", OK, f"within {max(1.0, skew):.0f} s of AWS's")


def repository(aws: Aws) -> Finding:
    """repository: it is there, and its tags cannot be moved."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        found = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        return Finding("repository", BAD, f"{name} does not exist", make("infra-deploy", aws.stage))
    if found.get("imageTagMutability") != "IMMUTABLE":
        return Finding("repository", LOOK, f"{name}: tags can be moved", make("infra-deploy", aws.stage))
    return Finding("repository", OK, found["repositoryUri"])


def image(aws: Aws) -> Finding:
    """image: what the alias runs is in the repository, as a single manifest that Lambda takes."""
    digest = _release.read_live(aws).digest
    if not digest:
        return Finding("image", BAD, "nothing is deployed", make("build push deploy", aws.stage))
    deploy.image_uri(aws, digest)
    found = aws.client("ecr").batch_get_image(
        repositoryName=aws.stage.repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(MEDIA_TYPES)
    )["images"]
    media_type = found[0].get("imageManifestMediaType", "") if found else ""
    if media_type not in MEDIA_TYPES:
        return Finding(
            "image", BAD, f"{short(digest)} is {media_type or 'no single manifest'}", "make build push deploy"
        )
    built = find_local_image()
    newer = f"; the last build is {short(built.digest)}" if built and built.digest != digest else ""
    return Finding("image", OK, f"{short(digest)}, {media_type}{newer}")
