"""From the function's $LATEST to what callers get: publish a version, try it, move the alias, write the ledger."""

from __future__ import annotations

import time
from dataclasses import dataclass

from . import _function, _git, _ledger
from ._aws import Aws
from ._function import Alias, Facts
from ._text import short, utc_now


class Clock:
    """Measures steps that follow each other; `steps` are seconds by name."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """End a step."""
        now = time.monotonic()
        self.steps[name] = round(now - self._last, 3)
        self._last = now


@dataclass(frozen=True)
class Live:
    """What callers get now: the alias, and the facts of the version that it names; None before the first."""

    alias: Alias | None
    facts: Facts | None

    @property
    def version(self) -> str:
        """The version, or an empty text."""
        return self.facts.version if self.facts else ""

    @property
    def digest(self) -> str:
        """The image's digest, or an empty text."""
        return self.facts.digest if self.facts else ""

    @property
    def is_split(self) -> bool:
        """Whether the alias sends a share of the calls to a second version."""
        return bool(self.alias and self.alias.shares)

    @property
    def commit(self) -> str:
        """The commit that the version says it was built from."""
        return commit_of(self.facts.description) if self.facts else _git.UNKNOWN


@dataclass(frozen=True)
class Released:
    """A published version that the alias now names, and whether the ledger says so."""

    version: str
    ledger: bool


def read_live(aws: Aws) -> Live:
    """Return what the stage's alias names."""
    alias = _function.read_alias(aws)
    return Live(alias, _function.read(aws, alias.version) if alias else None)


def publish(aws: Aws, latest: Facts, commit: str, clock: Clock) -> Facts:
    """Publish $LATEST and try the new version; it takes no calls of others yet."""
    about = description(commit, latest.configuration, _ledger.locks_digest(), _ledger.who(aws))
    version = _function.publish(aws, latest, about)
    clock.lap("publish")
    _function.smoke(aws, version.version)
    clock.lap("smoke")
    return version


def release(
    aws: Aws, latest: Facts, live: Live, *, action: str, commit: str, note: str = "", clock: Clock | None = None
) -> Released:
    """Publish and try $LATEST, move the alias from `live` to the new version, and write the ledger last."""
    clock = clock or Clock()
    version = publish(aws, latest, commit, clock)
    return switch(aws, version, live, action=action, commit=commit, note=note, clock=clock)


def switch(
    aws: Aws, version: Facts, live: Live, *, action: str, commit: str, note: str = "", clock: Clock | None = None
) -> Released:
    """Move the alias from `live` to a version that was tried, and write the ledger last."""
    clock = clock or Clock()
    protect(aws, version.digest)
    _function.move_alias(aws, version.version, live.alias)
    clock.lap("alias")
    written = record(aws, version, live, action=action, commit=commit, note=note)
    clock.lap("ledger")
    return Released(version.version, written)


def record(aws: Aws, version: Facts, live: Live, *, action: str, commit: str, note: str = "") -> bool:
    """Write into the ledger what became of a version; whether there is one."""
    entry = _ledger.Entry(
        at=utc_now("microseconds"),  # the ledger's key: two changes within a second are two entries
        action=action,
        version=version.version,
        digest=version.digest,
        previous_version=live.version,
        previous_digest=live.digest,
        commit=commit,
        configuration=version.configuration,
        locks=_ledger.locks_digest(),
        who=_ledger.who(aws),
        note=note,
    )
    return _ledger.write(aws, entry)


def record_late(aws: Aws, live: Live, commit: str) -> str:
    """Write into the ledger what the alias names, where a deploy that moved it could not; a note that it did."""
    known = _ledger.entries(aws, 20)
    last = next((entry for entry in known or () if entry.action != "canary-back"), None)
    if live.facts is None or known is None or (last and (last.version, last.digest) == (live.version, live.digest)):
        return ""
    note = "the ledger lacked this: written by a later deploy"
    record(aws, live.facts, Live(None, None), action="deploy", commit=commit, note=note)
    return note


def protect(aws: Aws, digest: str) -> None:
    """Tag an image as deployed, which keeps it from the repository's lifecycle rule."""
    client, repository = aws.client("ecr"), aws.stage.repository
    image = client.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])["images"][0]
    try:
        client.put_image(
            repositoryName=repository,
            imageManifest=image["imageManifest"],
            imageManifestMediaType=image["imageManifestMediaType"],
            imageTag=aws.stage.images.protected_tag_prefix + short(digest),
            imageDigest=digest,
        )
    except (client.exceptions.ImageAlreadyExistsException, client.exceptions.ImageTagAlreadyExistsException):
        return


def image_text(digest: str, commit: str) -> str:
    """An image, for people."""
    return f"{short(digest)} (commit {_git.short_revision(commit)})"


def before_text(version: str, digest: str) -> str:
    """What the alias named before, as the end of a sentence; empty where it named nothing."""
    return f", was version {version} {short(digest)}" if version else ""


def description(commit: str, configuration: str, locks: str, by: str) -> str:
    """Return what a function's version says of itself; Lambda keeps 256 characters."""
    return f"commit {_git.short_revision(commit)} configuration {configuration} locks {locks} by {by}"[:256]


def commit_of(text: str) -> str:
    """Return the commit in a version's description."""
    words = text.split()
    return words[1] if len(words) > 1 and words[0] == "commit" else _git.UNKNOWN
