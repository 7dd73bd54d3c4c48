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
    """The version that the alias now points at, whether a ledger records it, and the note of its entry."""

    version: str
    ledger: bool
    note: str = ""


def read_live(aws: Aws) -> ServedVersion:
    """Return the version that the stage's alias points at."""
    alias = lambda_function.read_alias(aws)
    return ServedVersion(alias, lambda_function.read(aws, alias.version) if alias else None)


def publish(aws: Aws, latest: FunctionVersion, commit: str, clock: Clock) -> FunctionVersion:
    """Publish $LATEST and smoke-test the new version, which receives no calls yet.

    OperationFailed if the smoke test fails: the version then exists, and stays unused.
    """
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
    """Publish and smoke-test $LATEST, move the alias from `live` to the new version, and write the ledger last.

    If a step fails, the steps before it stay, and callers still have the version of `live`: only the move concerns
    them. Hold the deploy lock. `clock` measures each step.
    """
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
    """Move the alias from `live` to a tested version, and write the ledger last; the entry names a canary that ends.

    Ctrl-C and SIGTERM wait until the entry is written. Conflict if the alias is not as `live` any more. The image is
    protected from the lifecycle rule before callers can reach it.
    """
    clock = clock or Clock()
    if canary := describe_other_shares(live, version.version):
        note = "; ".join(filter(None, (note, f"ended the {canary}")))
    protect(aws, version.digest)
    with defer_interrupts():  # a change without its entry would be a gap in the history
        at = lock.read_clock(aws)  # of the move: a process that is suspended after it may write its entry much later
        lambda_function.move_alias(aws, version.version, live.alias)
        clock.lap("alias")
        written = record(aws, version, live, action=action, commit=commit, note=note, at=at)
        clock.lap("ledger")
    return PublishedVersion(version.version, written, note)


def describe_other_shares(live: ServedVersion, version: str) -> str:
    """Return the canary that ends if every call goes to `version`: the share of each other one; empty without one."""
    shares = live.alias.shares if live.alias else {}
    others = [f"version {other} ({share:g} % of the calls)" for other, share in shares.items() if other != version]
    return f"canary of {', '.join(others)}" if others else ""


def restore_latest(aws: Aws) -> bool:
    """Give $LATEST the image that the alias serves; return whether it had another one.

    Callers without a qualifier, and the next change of settings, get $LATEST. Does nothing before the first deploy.
    Conflict if $LATEST is changed meanwhile: it is read before the alias, so that a later release is never undone.
    """
    with defer_interrupts():
        latest, live = lambda_function.wait_for_update(aws), read_live(aws)
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
    aws: Aws, version: FunctionVersion, live: ServedVersion, *, action: str, commit: str, note: str = "", at: str = ""
) -> bool:
    """Append a change to the ledger, after the entry of `live` if that is missing; return whether the stage has one.

    `at` is the time of the change, by default now. It is part of the key: two changes within a second are two entries.
    """
    known = ledger.read_entries(aws)
    if known is None:
        return False
    newest = known[0].at if known else ""
    entry = _entry(aws, at or lock.read_clock(aws), action, version, (live.version, live.digest), commit, note)
    if at and at < newest <= lock.read_clock(aws):  # suspended since the change: another one has been recorded
        ledger.write(aws, entry)
        return True
    late = _record_missing(aws, known, live, live.commit, entry.at)
    ledger.write(aws, entry, late.at if late else newest)
    return True


def record_late(aws: Aws, live: ServedVersion, commit: str) -> str:
    """Record the live version if the deploy that moved the alias was killed before it could; return the note."""
    known = ledger.read_entries(aws)
    late = None if known is None else _record_missing(aws, known, live, commit, lock.read_clock(aws))
    return late.note if late else ""


def _record_missing(
    aws: Aws, known: list[ledger.Entry], live: ServedVersion, commit: str, at: str
) -> ledger.Entry | None:
    """Write the entry of the live version if the process that moved the alias ended before it could."""
    last = ledger.find_last(known)
    if live.facts is None or live.version == "$LATEST":
        return None
    before = (last.version, last.digest) if last else ("", "")
    if before == (live.version, live.digest):
        return None
    action = "rollback" if is_newer(before[0], live.version) else "config" if before[1] == live.digest else "deploy"
    note = "recorded by a later change: this entry was missing"
    entry = _entry(aws, at, action, live.facts, before, commit, note)
    return ledger.write(aws, entry, known[0].at if known else "")


def is_newer(version: str, other: str) -> bool:
    """Return whether a version was published after another one; False unless both are numbers."""
    return version.isdecimal() and other.isdecimal() and int(version) > int(other)


def _entry(
    aws: Aws, at: str, action: str, version: FunctionVersion, before: tuple[str, str], commit: str, note: str
) -> ledger.Entry:
    """Return the entry of a change to a version; `before` is the version, and the digest, that it replaces."""
    return ledger.Entry(
        at=at,
        action=action,
        version=version.version,
        digest=version.digest,
        previous_version=before[0],
        previous_digest=before[1],
        commit=commit,
        configuration=version.configuration,
        locks=ledger.hash_locks(),
        who=ledger.identify_caller(aws),
        note=note,
    )


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
