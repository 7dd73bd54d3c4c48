"""Let the alias name what it named before: the previous image of the ledger, or a version or digest that is given.

python -m scripts.rollback [VERSION|DIGEST]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from . import _function, _ledger, _release, deploy, history
from ._aws import Aws, make
from ._command import Shell, verb
from ._errors import NotFound, OperationFailed
from ._function import Facts
from ._ledger import Entry
from ._release import Clock, Live
from ._text import short


@dataclass(frozen=True)
class Target:
    """What to go back to; without a version the image is published again."""

    digest: str
    version: str
    commit: str


@dataclass(frozen=True)
class RolledBack:
    """What a rollback did. Action is `rolled back`, `unchanged` or `would roll back`."""

    action: str
    digest: str
    version: str
    previous_digest: str
    previous_version: str
    commit: str
    ledger: bool = True


def rollback(aws: Aws, to: str | None = None, *, dry_run: bool = False) -> RolledBack:
    """Move the alias to an earlier version, which is tried first; return what was done.

    `to` is a version's number or the beginning of a digest; the last different image by default. NotFound when the
    registry no longer holds the image: nothing is changed then.
    """
    live = _release.read_live(aws)
    target = find(aws, live, to)
    before = (live.digest, live.version)
    if target.version == live.version and not live.is_split:
        return RolledBack("unchanged", target.digest, target.version, *before, target.commit)
    uri = deploy.image_uri(aws, target.digest)
    if dry_run:
        return RolledBack("would roll back", target.digest, target.version, *before, target.commit)
    with _ledger.locked(aws):
        found = _version(aws, target)
        if found is not None:
            _function.smoke(aws, found.version)
            done = _release.switch(aws, found, live, action="rollback", commit=target.commit)
        else:  # Lambda's version was deleted: the image makes a new one, with the present settings
            latest = _function.update_code(aws, uri, _function.settled(aws))
            done = _release.release(aws, latest, live, action="rollback", commit=target.commit, clock=Clock())
    return RolledBack("rolled back", target.digest, done.version, *before, target.commit, done.ledger)


def find(aws: Aws, live: Live, to: str | None) -> Target:
    """What `to` names, or what the alias named before; NotFound says what is known."""
    known = [entry for entry in history.history(aws, 100).entries if entry.digest]
    if to is None:
        earlier = _before(known, live)
        if earlier is None and not live.digest:
            raise NotFound(f"nothing was deployed to {aws.stage.name}", make("deploy", aws.stage))
        if earlier is None:
            raise NotFound(
                f"no image before {short(live.digest)} was deployed to {aws.stage.name}",
                f"name one: {make('rollback TO=version|digest', aws.stage)}",
            )
        return Target(earlier.digest, earlier.version, earlier.commit)
    digest = to if to.startswith("sha256:") else f"sha256:{to}"
    fitting = [e for e in known if to == e.version] or [
        e for e in known if len(to) >= 6 and e.digest.startswith(digest)
    ]
    if len({entry.digest for entry in fitting}) > 1:
        raise OperationFailed(f"{to} begins more than one digest", "give more of its digits")
    if fitting:
        return Target(fitting[0].digest, fitting[0].version, fitting[0].commit)
    if to.isdecimal():
        facts = _function.read(aws, to)
        return Target(facts.digest, to, _release.commit_of(facts.description))
    raise NotFound(f"nothing that was deployed to {aws.stage.name} is called {to}", make("history", aws.stage))


def _before(known: Sequence[Entry], live: Live) -> Entry | None:
    """What callers got before the live image was deployed, and never what was rolled back from.

    Without a ledger, or where it does not tell of that deploy: the last other image.
    """
    served = [entry for entry in known if entry.action != "canary-back"]
    deploys = [entry for entry in served if entry.action == "deploy" and entry.digest == live.digest]
    wanted = next((entry.previous_digest for entry in deploys if entry.previous_digest not in ("", live.digest)), "")
    if deploys:
        return next((entry for entry in served if entry.digest == wanted), None)
    return next((entry for entry in served if entry.digest != live.digest), None)


def _version(aws: Aws, target: Target) -> Facts | None:
    """The version, where it exists and still runs that image."""
    if not target.version:
        return None
    try:
        found = _function.read(aws, target.version)
    except NotFound:
        return None
    return found if found.digest == target.digest else None


def _render(done: RolledBack, shell: Shell) -> None:
    alias = shell.stage.function.alias
    image = _release.image_text(done.digest, done.commit)
    was = _release.before_text(done.previous_version, done.previous_digest)
    text = {
        "unchanged": f"nothing to do: {alias} names version {done.version}, which runs {image}",
        "would roll back": f"would let {alias} name version {done.version or '(new)'}, which runs {image}{was}",
        "rolled back": f"{alias} now names version {done.version}, which runs {image}{was}",
    }[done.action]
    shell.console.print(text, markup=False)


@verb(acts=True, render=_render)
@click.argument("to", required=False, envvar="TO")
def main(shell: Shell, to: str | None) -> RolledBack:
    """Go back to TO, a version or the beginning of a digest; to the image before the present one by default."""
    if shell.stage.is_guarded and not shell.dry_run:
        planned = rollback(shell.aws, to or None, dry_run=True)
        if planned.action == "unchanged":
            return planned
        shell.confirm(f"Rolls {shell.stage.function.alias} back to version {planned.version} {short(planned.digest)}.")
    return rollback(shell.aws, to or None, dry_run=shell.dry_run)


if __name__ == "__main__":
    main()
