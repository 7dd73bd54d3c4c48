"""Deploy the built image by its digest: update, publish a version, try it, move the alias, write the ledger.

python -m scripts.deploy [--canary PERCENT --watch SECONDS]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import click

from . import _canary, _function, _git, _guard, _ledger, _release
from ._aws import Aws, make
from ._command import Shell, verb
from ._errors import NotFound, OperationFailed
from ._function import Alias, Facts
from ._image import local_image
from ._options import Between
from ._release import Clock, Live
from ._repository import holds, repository_uri


@dataclass(frozen=True)
class Canary:
    """A share of the calls, in percent, that the new version gets for so many seconds before it gets all."""

    percent: float
    seconds: float


@dataclass(frozen=True)
class Deployed:
    """What a deploy did. Action is `deployed`, `unchanged` or `would deploy`; steps are seconds by name."""

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
) -> Deployed:
    """Make the stage's alias name a version that runs the image `digest`; return what was done.

    The image must be in the stage's registry. On any failure, a failed call of the canary too, the alias stays where
    it was. The first deploy of a function has nobody to share calls with: its canary is passed over.
    """
    clock = Clock()
    uri = image_uri(aws, digest)
    latest = _function.settled(aws)
    live = _release.read_live(aws)
    before = (live.digest, live.version)
    clock.lap("look")
    if is_live(live, latest, digest):
        late = "" if dry_run else _release.record_late(aws, live, commit)
        return Deployed("unchanged", digest, live.version, *before, commit, steps=clock.steps, note=late)
    if dry_run:
        return Deployed("would deploy", digest, "", *before, commit, steps=clock.steps)
    with _ledger.locked(aws, canary.seconds if canary else 0):
        clock.lap("lock")
        if latest.digest != digest or latest.is_failed:
            latest = _function.update_code(aws, uri, latest)
        clock.lap("update")
        version = _release.publish(aws, latest, commit, clock)
        if canary and live.alias and live.version not in ("$LATEST", version.version):
            seen, alias = _watched(aws, version, live, canary, clock, say)
            note = "; ".join(filter(None, (note, seen)))
            live = replace(live, alias=alias)  # as the canary left it: who moved it meanwhile is not moved over
        done = _release.switch(aws, version, live, action="deploy", commit=commit, note=note, clock=clock)
    return Deployed("deployed", digest, done.version, *before, commit, done.ledger, clock.steps, note)


def _watched(
    aws: Aws, version: Facts, live: Live, canary: Canary, clock: Clock, say: Callable[[str], None]
) -> tuple[str, Alias]:
    """Let the canary run; where it fails, the ledger tells that it went back."""
    assert live.alias is not None  # the caller looked
    try:
        return _canary.watch(aws, version, live.alias, percent=canary.percent, seconds=canary.seconds, say=say)
    except OperationFailed as problem:
        _release.record(aws, version, live, action="canary-back", commit=live.commit, note=problem.problem)
        raise
    finally:
        clock.lap("canary")


def is_live(live: Live, latest: Facts, digest: str) -> bool:
    """Whether the alias' version already runs the image with the function's present settings, for every call."""
    if live.facts is None or live.version == "$LATEST" or live.is_split:
        return False
    return live.digest == digest == latest.digest and live.facts.configuration == latest.configuration


def image_uri(aws: Aws, digest: str) -> str:
    """Return the URI by digest of an image in the stage's registry; NotFound when it is not there."""
    uri = repository_uri(aws)
    if not holds(aws, digest):
        raise NotFound(
            f"repository {aws.stage.repository} in stage {aws.stage.name} holds no image {digest}",
            make("push", aws.stage),
        )
    return f"{uri}@{digest}"


def _commit_of(aws: Aws, digest: str) -> str:
    """The commit that an image of the registry names; `unknown` without one."""
    from ._pull import open_reference
    from .verify import revision_of

    image_uri(aws, digest)
    source, _ = open_reference(aws, digest)
    return revision_of(source, digest) or _git.UNKNOWN


def _render(deployed: Deployed, shell: Shell) -> None:
    alias = shell.stage.function.alias
    image = _release.image_text(deployed.digest, deployed.commit)
    was = _release.before_text(deployed.previous_version, deployed.previous_digest)
    text = {
        "unchanged": f"nothing to deploy: {alias} names version {deployed.version}, which runs {image}",
        "would deploy": f"would deploy {image} to {alias}{was}",
        "deployed": f"{alias} now names version {deployed.version}, which runs {image}{was}",
    }[deployed.action]
    shell.print(text)
    if deployed.note:
        shell.print(deployed.note)
    if deployed.action == "deployed":
        took = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in deployed.steps.items() if seconds >= 0.005)
        shell.print(took, dim=True)
        if not deployed.ledger:
            shell.say("no ledger: the stage has no Deployment table, so only the version's description tells of this")


@verb(acts=True, render=_render)
@click.option("--digest", help="Deploy this image of the registry instead of the one that was built last.")
@click.option(
    "--canary",
    type=Between(0, 99),
    envvar="CANARY",
    help="Give the new version this percentage of calls first.",
)
@click.option(
    "--watch", type=Between(0, 86_400), envvar="WATCH", default=300, show_default=True, help="Seconds of the canary."
)
@click.option(
    "--skip-verify", is_flag=True, envvar="SKIP_VERIFY", help="Production: do not rebuild; the ledger says so."
)
def main(shell: Shell, digest: str | None, canary: float | None, watch: float, skip_verify: bool) -> Deployed:
    """Deploy the built image by digest and move the alias to it once it answers."""
    image = None if digest else local_image()
    wanted = digest or (image.digest if image else "")
    commit = image.revision if image else _commit_of(shell.aws, wanted)
    note = _guard.before_deploy(shell, wanted, commit, skip_verify=skip_verify)
    shell.confirm(f"Deploys {wanted} (commit {commit}) to {shell.stage.function.name}.")
    share = Canary(canary, watch) if canary else None
    return deploy(shell.aws, wanted, commit=commit, dry_run=shell.dry_run, canary=share, note=note, say=shell.say)


if __name__ == "__main__":
    main()
