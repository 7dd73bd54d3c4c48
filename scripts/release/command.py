"""Prepare the next release: version, changelog, commit and tag.

score-processor release minor|major|patch|1.2.3 [--dry-run]
"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from ..command.shell import Shell
from ..command.verb import verb
from . import new_version
from .new_version import Release


def _render(release: Release, shell: Shell) -> None:
    shell.console.print(f"release {release.version}, after {release.previous}:")
    shell.console.print(f"  pyproject.toml  version = {release.version}")
    shell.console.print(f"  CHANGELOG.md    {release.entries} entries, released on {release.released_on}")
    shell.console.print(f"  commit          Release {release.version}")
    shell.console.print(f"  tag             {release.tag}, which starts the release workflow once it is pushed")
    shell.console.print(f"next: git push origin HEAD {release.tag}")


@verb(render=_render)
@click.argument("version", metavar="VERSION")
@click.option("--dry-run", is_flag=True, envvar="DRY_RUN", help="Print what would be done, and do nothing.")
def main(shell: Shell, version: str, dry_run: bool) -> Release:
    """Prepare a release: set the version, date the changelog, commit and tag. Nothing is pushed.

    VERSION is a version such as 1.2.3, or the part to increase: major, minor or patch.
    """
    release = new_version.plan(version, datetime.now(UTC).date())
    if dry_run:
        shell.say("dry run: nothing is changed")
    else:
        new_version.prepare(release)
    return release
