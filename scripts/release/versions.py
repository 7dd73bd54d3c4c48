"""Publish $LATEST as a version, smoke-test it, move the alias, and write the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from ..aws import lambda_function, ledger, lock, repository
from ..aws.clients import Aws, explain
from ..aws.lambda_function import Alias, FunctionVersion
from ..checkout import git
from ..console.errors import Conflict
from ..console.interrupts import defer_interrupts
from ..console.text import shorten_digest


class Clock:
    """Measures consecutive steps; `steps` has seconds by name."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """End a step and start the next."""
        now = time.monotonic()
        self.steps[name] = round(now - self._last, 3)
        self._last = now


@dataclass(frozen=True)
class ServedVersion:
    """The served version: the alias, and the version's configuration; both None before the first deploy."""

    alias: Alias | None
    facts: FunctionVersion | None

    @property
    def version(self) -> str:
        """The version; empty before the first deploy."""
        return self.facts.version if self.facts else ""

    @property
    def digest(self) -> str:
        """The image's digest; empty before the first deploy."""
        return self.facts.digest if self.facts else ""

    @property
    def is_split(self) -> bool:
        """Whether the alias sends a share of the calls to another version."""
        return bool(self.alias and self.alias.shares)

    @property
    def commit(self) -> str:
        """The commit in the version's description; `unknown` without one."""
        return commit_of(self.facts.description) if self.facts else git.UNKNOWN


@dataclass(frozen=True)
class PublishedVersion:
    """The version that the alias now points at, and whether the stage has a ledger that records it."""

    version: str
    ledger: bool


def read_live(aws: Aws) -> ServedVersion:
    """Return the version that the stage's alias points at."""
    alias = lambda_function.read_alias(aws)
    return ServedVersion(alias, lambda_function.read(aws, alias.version) if alias else None)


def publish(aws: Aws, latest: FunctionVersion, commit: str, clock: Clock) -> FunctionVersion:
    """Publish $LATEST and smoke-test the new version, which receives no calls yet."""
    about = format_description(commit, latest.configuration, ledger.hash_locks(), ledger.identify_caller(aws))
    version = lambda_function.publish(aws, latest, about)
    clock.lap("publish")
    lambda_function.smoke(aws, version.version)
    clock.lap("smoke")
    return version


def release(
    aws: Aws,
    latest: FunctionVersion,
    live: ServedVersion,
    *,
    action: str,
    commit: str,
    note: str = "",
    clock: Clock | None = None,
) -> PublishedVersion:
    """Publish and smoke-test $LATEST, move the alias from `live` to the new version, and write the ledger last."""
    clock = clock or Clock()
    version = publish(aws, latest, commit, clock)
    return switch(aws, version, live, action=action, commit=commit, note=note, clock=clock)


def switch(
    aws: Aws,
    version: FunctionVersion,
    live: ServedVersion,
    *,
    action: str,
    commit: str,
    note: str = "",
    clock: Clock | None = None,
) -> PublishedVersion:
    """Move the alias from `live` to a tested version, and write the ledger last."""
    clock = clock or Clock()
    protect(aws, version.digest)
    lambda_function.move_alias(aws, version.version, live.alias)
    clock.lap("alias")
    written = record(aws, version, live, action=action, commit=commit, note=note)
    clock.lap("ledger")
    return PublishedVersion(version.version, written)


def restore_latest(aws: Aws) -> bool:
    """Give $LATEST the image that the alias serves; return whether it had another one.

    Callers without a qualifier, and the next change of settings, get $LATEST. Does nothing before the first deploy.
    """
    with defer_interrupts():
        live, latest = read_live(aws), lambda_function.wait_for_update(aws)
        if live.version in ("", "$LATEST") or (latest.digest == live.digest and not latest.is_failed):
            return False
        lambda_function.update_code(aws, repository.find_image_uri(aws, live.digest), latest)
    return True


@contextmanager
def restore_on_failure(aws: Aws, restore: Callable[[], bool], what: str, say: Callable[[str], None]) -> Iterator[None]:
    """Call `restore` if the block fails, and report through `say` whether $LATEST has `what` again.

    `restore` returns whether anything had to be restored. Not called after a Conflict: the function is then being
    changed by another process.
    """
    try:
        yield
    except Conflict:
        raise
    except BaseException:
        try:
            if restore():
                say(f"$LATEST has {what} again")
        except Exception as error:  # the first failure is the one to report
            say(f"$LATEST could not be given {what} again: {explain(error, aws.stage) or error}")
        raise


def restore_latest_on_failure(aws: Aws, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Give $LATEST the served image again if the block, a change of the function, fails."""
    return restore_on_failure(aws, lambda: restore_latest(aws), "the served image", say)


def record(
    aws: Aws, version: FunctionVersion, live: ServedVersion, *, action: str, commit: str, note: str = ""
) -> bool:
    """Append a change to the ledger; return whether the stage has one."""
    entry = ledger.Entry(
        at=lock.read_clock(aws),  # part of the key: two changes within a second are two entries
        action=action,
        version=version.version,
        digest=version.digest,
        previous_version=live.version,
        previous_digest=live.digest,
        commit=commit,
        configuration=version.configuration,
        locks=ledger.hash_locks(),
        who=ledger.identify_caller(aws),
        note=note,
    )
    return ledger.write(aws, entry)


def record_late(aws: Aws, live: ServedVersion, commit: str) -> str:
    """Record the live version if the deploy that moved the alias was killed before it could; return the note."""
    known, last = ledger.read_entries(aws, 20), ledger.read_last(aws)
    if live.facts is None or known is None or (last and (last.version, last.digest) == (live.version, live.digest)):
        return ""
    note = "recorded by a later deploy: this entry was missing"
    record(aws, live.facts, ServedVersion(None, None), action="deploy", commit=commit, note=note)
    return note


def protect(aws: Aws, digest: str) -> None:
    """Tag an image as deployed, which exempts it from the repository's lifecycle rule. Idempotent."""
    client, repository = aws.client("ecr"), aws.stage.repository
    image = client.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])["images"][0]
    try:
        client.put_image(
            repositoryName=repository,
            imageManifest=image["imageManifest"],
            imageManifestMediaType=image["imageManifestMediaType"],
            imageTag=aws.stage.images.protected_tag_prefix + shorten_digest(digest),
            imageDigest=digest,
        )
    except (client.exceptions.ImageAlreadyExistsException, client.exceptions.ImageTagAlreadyExistsException):
        return


def format_image(digest: str, commit: str) -> str:
    """Format an image: its short digest and commit."""
    return f"image {shorten_digest(digest)}, commit {git.shorten_revision(commit)}"


def format_replaced(version: str, digest: str, when: str = "previously") -> str:
    """Format the replaced version as the end of a message; empty before the first deploy."""
    return f"; {when} version {version} (image {shorten_digest(digest)})" if version else ""


def format_description(commit: str, configuration: str, locks: str, by: str) -> str:
    """Return the description of a published version, at most Lambda's 256 characters."""
    return f"commit {git.shorten_revision(commit)} configuration {configuration} locks {locks} by {by}"[:256]


def commit_of(text: str) -> str:
    """Return the commit in a version's description."""
    words = text.split()
    return words[1] if len(words) > 1 and words[0] == "commit" else git.UNKNOWN
