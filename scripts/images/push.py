"""Push an image: the blobs that are missing in the registry, in parallel, then the manifest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..aws.clients import Aws
from ..aws.repository import connect, find_repository_uri, holds
from ..checkout import git
from ..checkout.layout import Blob, LocalImage
from ..console.errors import RegistryFailed
from ..console.progress import Progress, no_progress
from ..console.text import format_megabytes, shorten_digest

if TYPE_CHECKING:
    from ..aws.registry import Registry

THREADS = 6


@dataclass(frozen=True)
class PushResult:
    """The result of a push; sizes in bytes. `image_uri` has the digest."""

    image_uri: str
    digest: str
    tag: str
    action: str
    sent_bytes: int
    total_bytes: int
    sent_blobs: int
    total_blobs: int
    requests: int
    seconds: float


def push(
    aws: Aws,
    image: LocalImage,
    *,
    tag: str = "",
    dry_run: bool = False,
    progress: Progress = no_progress,
    say: Callable[[str], None] = lambda _: None,
) -> PushResult:
    """Push the image to the stage's repository under `tag` (default: from its commit and digest). Idempotent.

    `action` is `pushed`, `unchanged` (the registry has the image) or `would push`. RegistryFailed if the registry
    rejects the image or computes another digest.
    """
    began = time.monotonic()
    tag = tag or tag_of(image)
    plan = PushResult(
        image_uri=f"{find_repository_uri(aws)}@{image.digest}",
        digest=image.digest,
        tag=tag,
        action="unchanged",
        sent_bytes=0,
        total_bytes=image.size,
        sent_blobs=0,
        total_blobs=len(image.blobs),
        requests=0,
        seconds=0,
    )
    if not holds(aws, image.digest):
        plan = _upload_missing(connect(aws), image, plan, dry_run, progress, say)
    return replace(plan, seconds=round(time.monotonic() - began, 3))


def _upload_missing(
    registry: Registry,
    image: LocalImage,
    plan: PushResult,
    dry_run: bool,
    progress: Progress,
    say: Callable[[str], None],
) -> PushResult:
    """Upload missing blobs and the manifest, unless this is a dry run."""
    try:
        missing = _missing(registry, image)
        size = sum(blob.size for blob in missing)
        listed = f"{len(missing)} of {len(image.blobs)} blobs"
        say(f"to upload: {format_megabytes(size)} of {format_megabytes(image.size)}, {listed}")
        if not dry_run:
            _send(registry, missing, progress)
            _put_manifest(registry, image, plan.tag)
    finally:
        registry.close()
    return replace(
        plan,
        action="would push" if dry_run else "pushed",
        sent_bytes=size,
        sent_blobs=len(missing),
        requests=registry.requests,
    )


def tag_of(image: LocalImage) -> str:
    """Return an image's tag: its commit for people, and its digest, since tags are immutable."""
    return f"git-{git.shorten_revision(image.revision)}-{shorten_digest(image.digest)}"


def _missing(registry: Registry, image: LocalImage) -> list[Blob]:
    with ThreadPoolExecutor(THREADS) as pool:
        held = list(pool.map(lambda blob: registry.has_blob(blob.digest), image.blobs))
    return [blob for blob, there in zip(image.blobs, held, strict=True) if not there]


def _send(registry: Registry, blobs: list[Blob], progress: Progress) -> None:
    """Upload blobs, largest first; the first failure stops the other uploads and is raised."""
    lock = threading.Lock()
    total = sum(blob.size for blob in blobs)

    with progress("push", total) as advance, ThreadPoolExecutor(THREADS) as pool:

        def report(size: int) -> None:
            with lock:
                advance(size)

        futures = [pool.submit(registry.upload, blob, report) for blob in sorted(blobs, key=lambda b: -b.size)]
        try:
            for future in futures:
                future.result()
        except BaseException:
            registry.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _put_manifest(registry: Registry, image: LocalImage, tag: str) -> None:
    got = registry.put_manifest(image, tag)
    if got != image.digest:
        raise RegistryFailed(
            f"manifest digest: got {got or 'none'} from the registry, expected {image.digest}",
            "nothing was deployed; push again; if it persists, the registry rewrites manifests",
        )
