"""Verify that the deployed image is the one that its commit builds.

score-processor verify [DIGEST]
"""

from __future__ import annotations

from pathlib import Path

import click

from .command.shell import Shell
from .command.verb import verb
from .release.statements import KEYS
from .release.verification import Verification, verify

MOST_DIFFERENCES = 10


def render(verdict: Verification, shell: Shell) -> None:
    """Print both digests and the first differences."""
    show = shell.console.print
    show(f"commit   {verdict.revision}", markup=False)
    show(f"deployed {verdict.digest}", markup=False)
    show(f"rebuilt  {verdict.rebuilt}", markup=False)
    for difference in verdict.differences[:MOST_DIFFERENCES]:
        show(f"  {difference.layer}: /{difference.path}: {difference.kind}", markup=False)
        show(f"      got {difference.got}, expected {difference.expected}", markup=False)
    if len(verdict.differences) > MOST_DIFFERENCES:
        show(f"  and {len(verdict.differences) - MOST_DIFFERENCES} more (--json lists all)", markup=False)
    summary = (
        "ok: the image is its commit's build" if verdict.equal else "fail: the image differs from its commit's build"
    )
    for entry in verdict.statements.valid:
        show(f"stated   by {entry.builder}, key {entry.key}", markup=False)
    for problem in verdict.statements.problems:
        show(f"fail: {problem}", markup=False)
    if not verdict.statements.trusted:
        show("skip: no statement was checked, since stages/keys has no builder's public key", markup=False)
    show(f"{summary} ({verdict.seconds} s)", markup=False)


@verb(render=render)
@click.argument("digest", required=False)
@click.option("--cached", is_flag=True, help="Use layers of this machine's cache: faster, but proves less.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the public keys of builders, *.pem, each of which must have stated the image's commit.",
)
def main(shell: Shell, digest: str | None, cached: bool, keys: Path | None) -> Verification:
    """Rebuild an image's commit in a clone, compare the two images file by file, and check its builders' statements.

    DIGEST is a digest, a prefix of a deployed one, or a version (default: the image that the alias serves).
    """
    return verify(shell.aws, digest, cached=cached, say=shell.say, keys=keys or KEYS)
