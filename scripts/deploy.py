"""Deploy the built image by its digest: update, publish a version, try it, move the alias, write the ledger.

python -m scripts.deploy
"""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from . import _function, _git, _ledger, _release
from ._aws import Aws, make
from ._command import Shell, verb
from ._errors import NotFound
from ._function import Facts
from ._image import local_image
from ._release import Clock, Live
from ._text import short


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


def deploy(aws: Aws, digest: str, *, commit: str = "unknown", dry_run: bool = False) -> Deployed:
    """Make the stage's alias name a version that runs the image `digest`; return what was done.

    The image must be in the stage's registry. On any failure the alias stays where it was.
    """
    clock = Clock()
    uri = image_uri(aws, digest)
    latest = _function.settled(aws)
    live = _release.read_live(aws)
    before = (live.digest, live.version)
    clock.lap("look")
    if is_live(live, latest, digest):
        return Deployed("unchanged", digest, live.version, *before, commit, steps=clock.steps)
    if dry_run:
        return Deployed("would deploy", digest, "", *before, commit, steps=clock.steps)
    with _ledger.locked(aws):
        clock.lap("lock")
        if latest.digest != digest or latest.is_failed:
            latest = _function.update_code(aws, uri, latest)
        clock.lap("update")
        done = _release.release(aws, latest, live, action="deploy", commit=commit, clock=clock)
    return Deployed("deployed", digest, done.version, *before, commit, done.ledger, clock.steps)


def is_live(live: Live, latest: Facts, digest: str) -> bool:
    """Whether the alias' version already runs the image with the function's present settings, for every call."""
    if live.facts is None or live.version == "$LATEST" or live.is_split:
        return False
    return live.digest == digest == latest.digest and live.facts.configuration == latest.configuration


def image_uri(aws: Aws, digest: str) -> str:
    """Return the URI by digest of an image in the stage's registry; NotFound when it is not there."""
    client, repository = aws.client("ecr"), aws.stage.repository
    try:
        found = client.describe_repositories(repositoryNames=[repository])["repositories"][0]
        client.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except client.exceptions.RepositoryNotFoundException:
        raise NotFound(
            f"there is no repository {repository} in stage {aws.stage.name}", make("infra-deploy", aws.stage)
        ) from None
    except client.exceptions.ImageNotFoundException:
        raise NotFound(
            f"repository {repository} in stage {aws.stage.name} holds no image {digest}", make("push", aws.stage)
        ) from None
    return f"{found['repositoryUri']}@{digest}"


def _render(deployed: Deployed, shell: Shell) -> None:
    alias = shell.stage.function.alias
    image = f"{short(deployed.digest)} (commit {_git.short_revision(deployed.commit)})"
    was = f", was version {deployed.previous_version} {short(deployed.previous_digest)}"
    text = {
        "unchanged": f"nothing to deploy: {alias} names version {deployed.version}, which runs {image}",
        "would deploy": f"would deploy {image} to {alias}{was if deployed.previous_version else ''}",
        "deployed": f"{alias} now names version {deployed.version}, which runs {image}{was}",
    }[deployed.action]
    shell.console.print(text, markup=False)
    if deployed.action == "deployed":
        took = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in deployed.steps.items() if seconds >= 0.005)
        shell.console.print(took, markup=False, style="dim")
        if not deployed.ledger:
            shell.say("no ledger: the stage has no Deployment table, so only the version's description tells of this")


@verb(acts=True, render=_render)
@click.option("--digest", help="Deploy this image of the registry instead of the one that was built last.")
def main(shell: Shell, digest: str | None) -> Deployed:
    """Deploy the built image by digest and move the alias to it once it answers."""
    image = None if digest else local_image()
    wanted = digest or (image.digest if image else "")
    commit = image.revision if image else _git.UNKNOWN
    shell.confirm(f"Deploys {wanted} (commit {commit}) to {shell.stage.function.name}.")
    return deploy(shell.aws, wanted, commit=commit, dry_run=shell.dry_run)


if __name__ == "__main__":
    main()
