"""Deploy an image by digest: update the code, publish a version, smoke-test it, move the alias, write the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..aws import lambda_function, lock, repository
from ..aws.clients import Aws
from ..aws.lambda_function import Alias, FunctionVersion
from ..checkout import git
from ..console.errors import Conflict, OperationFailed
from . import versions
from .canary import end_share_on_failure, watch
from .versions import Clock, ServedVersion


@dataclass(frozen=True)
class Canary:
    """The percentage of calls that the new version receives, and for how many seconds, before it receives all."""

    percent: float
    seconds: float


@dataclass(frozen=True)
class Deployment:
    """The result of a deploy; `action` is `deployed`, `unchanged` or `would deploy`; `steps` has seconds by step."""

    action: str
    digest: str
    version: str
    previous_digest: str
    previous_version: str
    commit: str
    ledger: bool = True
    steps: dict[str, float] = field(default_factory=dict)
    note: str = ""


def deploy(
    aws: Aws,
    digest: str,
    *,
    commit: str = "unknown",
    dry_run: bool = False,
    canary: Canary | None = None,
    note: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Deployment:
    """Point the stage's alias at a version that runs the image `digest`. Idempotent.

    The image must be in the stage's registry: NotFound otherwise. Conflict if another deploy holds the lock. After any
    failure, a failed canary included, the alias is where it was, and $LATEST has the served image again. A function's
    first deploy skips the canary.
    """
    clock = Clock()
    uri = repository.find_image_uri(aws, digest)
    latest = lambda_function.wait_for_update(aws)
    live = versions.read_live(aws)
    before = (live.digest, live.version)
    clock.lap("read")
    if is_live(live, latest, digest):
        late = "" if dry_run else versions.record_late(aws, live, commit)
        return Deployment("unchanged", digest, live.version, *before, commit, steps=clock.steps, note=late)
    if dry_run:
        return Deployment("would deploy", digest, "", *before, commit, steps=clock.steps)
    with lock.hold(aws, canary.seconds if canary else 0) as held, versions.restore_latest_on_failure(aws, say):
        clock.lap("lock")
        if latest.digest != digest or latest.is_failed:
            latest = lambda_function.update_code(aws, uri, latest)
        clock.lap("update")
        version = versions.publish(aws, latest, commit, clock)
        if canary and live.alias and live.version not in ("$LATEST", version.version):
            watched, alias = _watch_canary(aws, version, live, canary, clock, say)
            note = f"{note}; {watched}" if note else watched
            live = replace(live, alias=alias)  # with its new revision, so that a concurrent move is a Conflict
        with end_share_on_failure(aws, live.alias):
            held.check()
            done = versions.switch(aws, version, live, action="deploy", commit=commit, note=note, clock=clock)
    return Deployment("deployed", digest, done.version, *before, commit, done.ledger, clock.steps, done.note)


def _watch_canary(
    aws: Aws, version: FunctionVersion, live: ServedVersion, canary: Canary, clock: Clock, say: Callable[[str], None]
) -> tuple[str, Alias]:
    """Run the canary; if it fails, record `canary-back`. A Conflict is another's change, which has its entry."""
    assert live.alias is not None  # checked by the caller
    try:
        return watch(aws, version, live.alias, percent=canary.percent, seconds=canary.seconds, say=say)
    except Conflict:
        raise
    except OperationFailed as problem:
        versions.record(aws, version, live, action="canary-back", commit=live.commit, note=problem.problem)
        raise
    finally:
        clock.lap("canary")


def is_live(live: ServedVersion, latest: FunctionVersion, digest: str) -> bool:
    """Return whether the alias sends every call to a version with this image and the function's current settings."""
    if live.facts is None or live.version == "$LATEST" or live.is_split:
        return False
    return live.digest == digest == latest.digest and live.facts.configuration == latest.configuration


def read_labelled_commit(aws: Aws, digest: str) -> str:
    """Return the commit in a registry image's label; `unknown` without one.

    NotFound if the stage's registry has no image of this digest. Only manifest and configuration are fetched.
    """
    from ..aws.repository import open_reference
    from .verification import read_revision

    repository.find_image_uri(aws, digest)
    source, _ = open_reference(aws, digest)
    return read_revision(source, digest) or git.UNKNOWN
