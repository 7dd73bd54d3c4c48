"""Push the built image: only the blobs that the registry lacks, in parallel, then one manifest.

python -m scripts.push
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import _git, _guard
from ._aws import Aws
from ._command import Shell, verb
from ._errors import PushFailed
from ._image import LAYOUT, Blob, LocalImage, local_image
from ._progress import Progress
from ._repository import connect, holds, repository_uri
from ._sound import require_sound
from ._text import megabytes, short

if TYPE_CHECKING:
    from ._registry import Registry

THREADS = 6


@dataclass(frozen=True)
class Pushed:
    """What a push did: sizes in bytes. `image_uri` names the image by its digest."""

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
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Pushed:
    """Make the stage's repository hold the image under `tag` (by default its own); return what was done.

    Action is `pushed`, `unchanged` (the registry held it) or `would push`. PushFailed when the registry
    refuses, or would hold another digest than was built.
    """
    began = time.monotonic()
    tag = tag or tag_of(image)
    plan = Pushed(
        image_uri=f"{repository_uri(aws)}@{image.digest}",
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
        plan = _pushed(connect(aws), image, plan, dry_run, progress or Progress(silent=True), say)
    return replace(plan, seconds=round(time.monotonic() - began, 3))


def _pushed(
    registry: Registry, image: LocalImage, plan: Pushed, dry_run: bool, progress: Progress, say: Callable[[str], None]
) -> Pushed:
    """Send what the registry lacks, unless this is a dry run."""
    try:
        missing = _missing(registry, image)
        size = sum(blob.size for blob in missing)
        listed = f"{len(missing)} of {len(image.blobs)} blobs are missing"
        say(f"{megabytes(size)} of {megabytes(image.size)} to send: {listed}")
        if not dry_run:
            _send(registry, missing, progress)
            _seal(registry, image, plan.tag)
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
    """Return the tag of an image: its commit for people, its digest so that a tag never has to move."""
    return f"git-{_git.short_revision(image.revision)}-{short(image.digest)}"


def _missing(registry: Registry, image: LocalImage) -> list[Blob]:
    with ThreadPoolExecutor(THREADS) as pool:
        held = list(pool.map(lambda blob: registry.has_blob(blob.digest), image.blobs))
    return [blob for blob, there in zip(image.blobs, held, strict=True) if not there]


def _send(registry: Registry, blobs: list[Blob], progress: Progress) -> None:
    """Upload blobs, the largest first; the first failure stops the others and is raised."""
    lock = threading.Lock()
    total = sum(blob.size for blob in blobs)

    def moved(size: int) -> None:
        with lock:
            progress.advance(size)

    with progress.task("push", total), ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(registry.upload, blob, moved) for blob in sorted(blobs, key=lambda b: -b.size)]
        try:
            for future in futures:
                future.result()
        except BaseException:
            registry.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _seal(registry: Registry, image: LocalImage, tag: str) -> None:
    got = registry.put_manifest(image, tag)
    if got != image.digest:
        raise PushFailed(
            f"the registry holds {got or 'no digest'}, the build is {image.digest}",
            "nothing was deployed; push again, and if it stays so the registry changes manifests",
        )


def _render(pushed: Pushed, shell: Shell) -> None:
    done = {
        "pushed": f"pushed {megabytes(pushed.sent_bytes)} of {megabytes(pushed.total_bytes)} in {pushed.seconds:.1f} s",
        "unchanged": "nothing to push: the registry holds this image",
        "would push": f"would push {megabytes(pushed.sent_bytes)} of {megabytes(pushed.total_bytes)}",
    }[pushed.action]
    shell.print(f"{done}\n{pushed.image_uri}")


@verb(acts=True, render=_render)
@click.option("--layout", type=click.Path(path_type=Path), help="An OCI image layout; the last build by default.")
def main(shell: Shell, layout: Path | None) -> Pushed:
    """Push the built image to the stage's registry, if it keeps Lambda's rules."""
    image = local_image(layout)
    require_sound(layout or LAYOUT)
    _guard.before_push(shell, image.revision)
    shell.confirm(f"Pushes {image.digest} to {shell.stage.repository}.")
    return push(shell.aws, image, dry_run=shell.dry_run, progress=Progress(silent=shell.as_json), say=shell.say)


if __name__ == "__main__":
    main()
