"""Deploy the built image by digest.

score-processor deploy [--canary PERCENT --watch SECONDS]
"""

from __future__ import annotations

import click

from .aws.ledger import read_entries
from .checkout.layout import read_local_image
from .command.shell import Shell
from .command.verb import verb
from .console.options import Between
from .release import candidate, guard, versions
from .release.deployment import Canary, Deployment, deploy, read_labelled_commit


def _render(deployed: Deployment, shell: Shell) -> None:
    alias = shell.stage.function.alias
    image = versions.format_image(deployed.digest, deployed.commit)
    previous = deployed.previous_version, deployed.previous_digest
    current, was = versions.format_replaced(*previous, "currently"), versions.format_replaced(*previous)
    text = {
        "unchanged": f"nothing to deploy: alias {alias} points at version {deployed.version} ({image})",
        "would deploy": f"would deploy {image}, to alias {alias}{current}",
        "deployed": f"alias {alias} now points at version {deployed.version} ({image}){was}",
    }[deployed.action]
    shell.print(text)
    if deployed.note:
        shell.print(deployed.note)
    if deployed.action == "deployed":
        took = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in deployed.steps.items() if seconds >= 0.005)
        shell.print(took, dim=True)
        if not deployed.ledger:
            shell.say(
                "no ledger: the stage has no Deployment table; only the version's description records this deploy"
            )


@verb(acts=True, render=_render)
@click.option("--digest", help="Deploy this image of the registry instead of the last build.")
@click.option(
    "--canary",
    type=Between(0, 99),
    envvar="CANARY",
    help="Send this percentage of calls to the new version first.",
)
@click.option(
    "--watch",
    type=Between(0, 86_400),
    envvar="WATCH",
    default=300,
    show_default=True,
    help="Duration of the canary in seconds.",
)
@click.option(
    "--skip-verify",
    is_flag=True,
    envvar="SKIP_VERIFY",
    help="Production: skip the verification by a rebuild; the ledger records it.",
)
@click.option(
    "--skip-staging",
    is_flag=True,
    envvar="SKIP_STAGING",
    help="Deploy an image that the stage before has not served; the ledger records it.",
)
def main(
    shell: Shell, digest: str | None, canary: float | None, watch: float, skip_verify: bool, skip_staging: bool
) -> Deployment:
    """Deploy the built image by digest: publish a version, smoke-test it, and point the alias at it."""
    image = None if digest else read_local_image()
    wanted = digest or (image.digest if image else "")
    commit = image.revision if image else read_labelled_commit(shell.aws, wanted)
    note = guard.guard_deploy(shell, wanted, commit, skip_verify=skip_verify, skip_staging=skip_staging)
    for remark in candidate.list_remarks(read_entries(shell.aws, 100) or (), wanted, commit, image):
        shell.say(remark)
    shell.confirm(f"Deploys {wanted} (commit {commit}) to {shell.stage.function.name}.")
    share = Canary(canary, watch) if canary else None
    return deploy(shell.aws, wanted, commit=commit, dry_run=shell.dry_run, canary=share, note=note, say=shell.say)
