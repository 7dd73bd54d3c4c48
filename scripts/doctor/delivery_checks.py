"""Checks of the delivery: tools, credentials, clock, repository and image."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from nix.cache.folder import create_cache_dir
from nix.oci.media_types import MANIFEST, MANIFESTS

from ..aws import account
from ..aws.clients import Aws, make
from ..aws.repository import find_image_uri
from ..checkout import ROOT
from ..checkout.layout import find_local_image
from ..console.text import shorten_digest
from ..differences import queue_drift
from ..release import versions
from .finding import FAIL, OK, WARN, Finding

SKEW_S = 30  # AWS rejects signatures that are five minutes off; a clock that drifts gets there
ROOM_MB = 300  # the inputs of an image, and the image


def check_prerequisites(_: Aws) -> Finding:
    """prerequisites: Python, git and make are installed."""
    lacking = [tool for tool in ("git", "make") if shutil.which(tool) is None]
    version = ".".join(map(str, sys.version_info[:3]))
    if lacking:
        return Finding(
            "prerequisites", FAIL, f"absent: {', '.join(lacking)}", "install them with the system's package manager"
        )
    return Finding("prerequisites", OK, f"Python {version}, git, make")


def check_disk(_: Aws) -> Finding:
    """disk: there is room for a build where the cache and this checkout are."""
    for folder, way in ((create_cache_dir(), "make cache-prune"), (ROOT, "delete other files there")):
        free_mb = shutil.disk_usage(folder).free // 1_000_000
        if free_mb < ROOM_MB:
            return Finding("disk", WARN, f"{folder}: got {free_mb} MB free, expected {ROOM_MB} MB", way)
    return Finding("disk", OK, f"at least {ROOM_MB} MB free")


def check_credentials(aws: Aws) -> Finding:
    """credentials: they are valid, and belong to the stage's account."""
    identity = aws.client("sts").get_caller_identity()
    account.require_account(aws)
    return Finding("credentials", OK, f"{identity['Arn']} in {aws.stage.region}")


def check_clock(aws: Aws) -> Finding:
    """clock: it agrees with AWS's, which rejects requests signed too early or too late."""
    answer = aws.client("sts").get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    if skew > SKEW_S:
        return Finding(
            "clock",
            FAIL,
            f"got a difference of {skew:.0f} s from AWS's, expected at most {SKEW_S} s",
            "set it: timedatectl set-ntp true",
        )
    return Finding("clock", OK, f"within {max(1.0, skew):.0f} s of AWS's")


def check_repository(aws: Aws) -> Finding:
    """repository: it exists, its tags are immutable, Lambda may read it, and its images expire as in the template."""
    client, name = aws.client("ecr"), aws.stage.repository
    try:
        description = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        return Finding("repository", FAIL, f"{name} does not exist", make("infra-deploy", aws.stage))
    if wrong := list(queue_drift.compare_repository(aws)):
        # Without the policy, Lambda cannot fetch the image again once it has evicted its copy.
        verdict = FAIL if queue_drift.POLICY in {one.setting for one in wrong} else WARN
        return Finding("repository", verdict, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    return Finding("repository", OK, description["repositoryUri"])


def check_image(aws: Aws) -> Finding:
    """image: the alias's image is in the repository, as a single manifest of a type that Lambda accepts."""
    digest = versions.read_live(aws).digest
    if not digest:
        return Finding("image", FAIL, "no deployment", make("build push deploy", aws.stage))
    find_image_uri(aws, digest)
    response = aws.client("ecr").batch_get_image(
        repositoryName=aws.stage.repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(MANIFESTS)
    )["images"]
    media_type = response[0].get("imageManifestMediaType", "") if response else ""
    if media_type not in MANIFESTS:
        return Finding(
            "image",
            FAIL,
            f"{shorten_digest(digest)}: got {media_type or 'no single manifest'}, expected {MANIFEST}",
            "make build push deploy",
        )
    built = find_local_image()
    newer = f"; the last build is {shorten_digest(built.digest)}" if built and built.digest != digest else ""
    return Finding("image", OK, f"{shorten_digest(digest)}, {media_type}{newer}")
