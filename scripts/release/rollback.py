"""Roll the alias back to the previous image in the ledger, or to a given version or digest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..aws import lambda_function, ledger, lock, repository
from ..aws.clients import Aws, make
from ..aws.lambda_function import FunctionVersion
from ..aws.ledger import Entry
from ..aws.lock import Lock
from ..console.errors import Conflict, NotFound, OperationFailed
from ..console.interrupts import defer_interrupts
from ..console.text import shorten_digest
from . import configuration, history, versions
from .configuration import Difference
from .versions import Clock, ServedVersion

ATTEMPTS = 3
MOST_VERSIONS = 5  # versions in a message
Say = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """The image to roll back to; without a version it is published again."""

    digest: str
    version: str
    commit: str


@dataclass(frozen=True)
class Rollback:
    """The result of a rollback; `action` is `rolled back`, `unchanged` or `would roll back`.

    `settings` are those that change with the version; empty with `keep_settings`. `latest` says whether $LATEST had
    another image than callers get now, and has been given theirs. `canary` names the canary that the rollback ended.
    """

    action: str
    digest: str
    version: str
    previous_digest: str
    previous_version: str
    commit: str
    ledger: bool = True
    settings: tuple[Difference, ...] = ()
    latest: bool = False
    canary: str = ""


def roll_back(
    aws: Aws,
    to: str | None = None,
    *,
    keep_settings: bool = False,
    dry_run: bool = False,
    say: Say = lambda _: None,
) -> Rollback:
    """Point the alias at an earlier version, after a smoke test.

    `to` is a version or a digest prefix; by default the previous image. The version has the settings that it was
    published with, and so has $LATEST then; with `keep_settings` its image is published again with the current ones.
    If callers already get it, an entry is written unless it is the ledger's last. NotFound, with nothing changed, if
    the registry no longer has the image. A deploy's lock is taken over, and the deploy ends in a Conflict.
    """
    planned = _plan(aws, to, keep_settings=keep_settings)
    live, target = planned.live, planned.target
    before = (live.digest, live.version)
    at_target = target.version == live.version and not live.is_split and _is_recorded(aws, live)
    ended = versions.describe_other_shares(live, target.version)
    done = Rollback("unchanged", target.digest, target.version, *before, target.commit, canary=ended)
    if at_target and lambda_function.read(aws).digest == live.digest:
        return done
    uri = repository.find_image_uri(aws, target.digest)
    if dry_run:
        return replace(done, action="would roll back", settings=planned.settings)
    settle = partial(_settle, aws, planned.found)
    with (
        lock.hold(aws, force=True) as held,
        versions.restore_on_failure(aws, settle, "the served image and its settings", say),
    ):
        if at_target:
            return replace(done, latest=versions.restore_latest(aws))
        moved = _move(aws, planned, uri, held, say)
        held.check()
        latest = settle()
        return replace(
            done,
            action="rolled back",
            version=moved.version,
            ledger=moved.ledger,
            settings=planned.settings,
            latest=latest,
        )


def _is_recorded(aws: Aws, live: ServedVersion) -> bool:
    """Return whether the ledger's last entry, if there is one, is of the served version."""
    last = ledger.read_last(aws)
    return last is None or (last.version, last.digest) == (live.version, live.digest)


@dataclass(frozen=True)
class Plan:
    """The served version, the target, and the target's version; None if its image is published again."""

    live: ServedVersion
    target: Target
    found: FunctionVersion | None
    settings: tuple[Difference, ...]


def _plan(aws: Aws, to: str | None, *, keep_settings: bool) -> Plan:
    live = versions.read_live(aws)
    target = find(aws, live, to)
    result = _version(aws, target)
    changed = configuration.compare_versions(live.facts, result) if live.facts and result else []
    if keep_settings and changed:
        return Plan(live, target, None, ())
    return Plan(live, target, result, tuple(changed))


def _settle(aws: Aws, target: FunctionVersion | None) -> bool:
    """Give $LATEST the served image, and the target's settings if that is served; return whether it had another image.

    Otherwise the next deploy would publish the settings that were rolled back from.
    """
    with defer_interrupts():
        changed = versions.restore_latest(aws)
        latest = lambda_function.wait_for_update(aws)
        if target and versions.read_live(aws).version == target.version:
            configuration.give_settings(aws, target, latest)
    return changed


def _move(aws: Aws, plan: Plan, uri: str, held: Lock, say: Say) -> versions.PublishedVersion:
    """Move the alias; if a deploy moves it at the same time, move it again.

    Conflict if the lock is no longer held: another person has released something since.
    """
    live, commit = plan.live, plan.target.commit
    for attempt in range(ATTEMPTS):
        held.check()
        try:
            if plan.found is not None:
                lambda_function.smoke(aws, plan.found.version)
                return versions.switch(aws, plan.found, live, action="rollback", commit=commit)
            # The version was deleted, or has other settings than it should: publish the image with the current ones.
            latest = (
                configuration.give_settings(aws, live.facts) if live.facts else lambda_function.wait_for_update(aws)
            )
            latest = lambda_function.update_code(aws, uri, latest)
            return versions.release(aws, latest, live, action="rollback", commit=commit, clock=Clock())
        except Conflict:
            if attempt == ATTEMPTS - 1:
                raise
            say("another process moved the alias: trying again")
            live = versions.read_live(aws)
    raise AssertionError("the last attempt returned or raised")


def find(aws: Aws, live: ServedVersion, to: str | None) -> Target:
    """Return the image that `to` names, by default the previous one; NotFound without a match.

    While a canary shares the calls, running or killed, the previous one is the version that it was to replace.

    OperationFailed if `to` is a prefix of several digests. A prefix has at least six digits.
    """
    if to is None and live.is_split:
        return Target(live.digest, live.version, live.commit)
    known = [entry for entry in history.read_history(aws, 100).entries if entry.digest]
    if to is None:
        earlier = _before(known, live)
        if earlier is None and not live.digest:
            raise NotFound(f"stage {aws.stage.name} has no deployment", make("deploy", aws.stage))
        if earlier is None:
            raise NotFound(
                f"stage {aws.stage.name} has no deployment before version {live.version}, "
                f"image {shorten_digest(live.digest)}{list_others(known, live.digest)}",
                f"{make('history', aws.stage)} lists all changes; {make('rollback TO=version|digest', aws.stage)}",
            )
        return Target(earlier.digest, earlier.version, earlier.commit)
    digest = to if to.startswith("sha256:") else f"sha256:{to}"
    matches = [e for e in known if to == e.version] or [
        e for e in known if len(to) >= 6 and e.digest.startswith(digest)
    ]
    if len({entry.digest for entry in matches}) > 1:
        raise OperationFailed(f"{to} is a prefix of several digests", "give more digits")
    if matches:
        return Target(matches[0].digest, matches[0].version, matches[0].commit)
    if to.isdecimal():
        facts = lambda_function.read(aws, to)
        return Target(facts.digest, to, versions.commit_of(facts.description))
    raise NotFound(f"stage {aws.stage.name} has no deployment {to}", make("history", aws.stage))


def list_others(known: Sequence[Entry], digest: str) -> str:
    """Return the versions with another image than `digest`, newest first, to end a message with."""
    others = {entry.version: entry for entry in reversed(known) if entry.digest != digest and entry.version}
    listed = [f"version {entry.version} (image {shorten_digest(entry.digest)})" for entry in reversed(others.values())]
    return f"; later ones: {', '.join(listed[:MOST_VERSIONS])}" if listed else ""


def _before(known: Sequence[Entry], live: ServedVersion) -> Entry | None:
    """Return the entry of the image that was served before the live one was deployed.

    An image that was rolled back from is never returned. If that deploy is not in the ledger: the last other image.
    """
    served = [entry for entry in known if entry.action != "canary-back"]
    if served and served[0].digest != live.digest and versions.is_newer(live.version, served[0].version):
        return served[0]  # a deploy was killed before it could write its entry
    deploys = [entry for entry in served if entry.action == "deploy" and entry.digest == live.digest]
    wanted = next((entry for entry in deploys if entry.previous_digest not in ("", live.digest)), None)
    if wanted:
        # A version that was published by hand, as the original's, has no entry of its own.
        own = (entry for entry in served if entry.digest == wanted.previous_digest)
        by_hand = replace(wanted, digest=wanted.previous_digest, version=wanted.previous_version, commit="unknown")
        return next(own, by_hand)
    if deploys:
        return None
    return next((entry for entry in served if entry.digest != live.digest), None)


def _version(aws: Aws, target: Target) -> FunctionVersion | None:
    """Return the target's version if it can run: it exists, has the target's image, and a role that exists."""
    if not target.version:
        return None
    try:
        existing = lambda_function.read(aws, target.version)
    except NotFound:
        return None
    # A role that was deleted and created again has another name; a version keeps the one that it was published with.
    same_role = existing.role == lambda_function.read(aws).role
    return existing if existing.digest == target.digest and same_role else None
