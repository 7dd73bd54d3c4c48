"""The artifacts that champion versions name, models and cassettes: those that the bucket has lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nix.oci.digest import DIGEST, encoded

from ..checkout.layout import ARTIFACTS
from . import dynamodb
from .clients import Aws

PREFIX, MANIFEST = "artifacts/", "manifest.json"
"""Where `plexus.artifacts.S3Artifacts` stores them. The doctor imports nothing of the image's code."""
TRAIN = "train them again: plexus train CARD.yaml --write OTHER.yaml, then make enqueue CARD=OTHER.yaml"


@dataclass(frozen=True)
class Lost:
    """An artifact of which a file is missing, and the names of the scores whose jobs fail without it.

    `markers` are the keys and versions of the delete markers that hide files: without them the files are back, and with
    `is_restorable` the whole artifact.
    """

    digest: str
    scores: tuple[str, ...]
    is_restorable: bool
    markers: tuple[tuple[str, str], ...]


def find_lost(aws: Aws) -> list[Lost]:
    """Return the artifacts that an enabled score's champion version names and that are not whole. Reads only.

    An artifact is not whole if its manifest is absent, or if any file under its digest has been deleted. Results are
    in order of their digests. A file that was never uploaded goes unnoticed: the bucket does not know which files
    there should be. Every object version below `artifacts/` is listed, a thousand for each call.
    """
    named = _read_digests(aws)
    if not named:
        return []
    present: set[str] = set()
    hidden: defaultdict[str, list[str]] = defaultdict(list)
    stored: set[str] = set()
    for page in aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=aws.stage.bucket, Prefix=PREFIX):
        for version in page.get("Versions", ()):
            stored.add(version["Key"])
            if version["IsLatest"]:
                present.add(version["Key"])
        for marker in page.get("DeleteMarkers", ()):
            hidden[marker["Key"]].append(marker["VersionId"])
    lost = []
    for digest, scores in sorted(named.items()):
        folder = f"{PREFIX}{encoded(digest)}/"
        keys = sorted(key for key in stored - present if key.startswith(folder))
        if keys or f"{folder}{MANIFEST}" not in present:
            markers = tuple((key, version) for key in keys for version in hidden[key])
            lost.append(Lost(digest, tuple(sorted(scores)), f"{folder}{MANIFEST}" in stored, markers))
    return lost


def _read_digests(aws: Aws) -> dict[str, set[str]]:
    """Return digest → names of scores, of the champion versions of all enabled scores."""
    champions: defaultdict[str, set[str]] = defaultdict(set)
    for score in dynamodb.scan(aws, "Score"):
        if score.get("championVersionId") and not score.get("isDisabled"):
            champions[str(score["championVersionId"])].add(str(score.get("name") or score["id"]))
    named: defaultdict[str, set[str]] = defaultdict(set)
    for version in dynamodb.get(aws, "ScoreVersion", sorted(champions), ("configuration",)):
        for digest in DIGEST.findall(str(version.get("configuration") or "")):
            named[digest] |= champions[version["id"]]
    return dict(named)


def restore(aws: Aws, lost: Lost) -> None:
    """Remove the delete markers of an artifact's files. Idempotent."""
    for key, version in lost.markers:
        aws.client("s3").delete_object(Bucket=aws.stage.bucket, Key=key, VersionId=version)


def is_stored_here(digest: str) -> bool:
    """Return whether this checkout has the artifact."""
    return (ARTIFACTS / encoded(digest) / MANIFEST).is_file()
