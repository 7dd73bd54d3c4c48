"""Roll the alias back.

score-processor rollback [VERSION|DIGEST] [--keep-settings]
"""

from __future__ import annotations

import click

from .aws.account import require_account
from .command.shell import Shell
from .command.verb import verb
from .console.text import shorten_digest
from .release import versions
from .release.configuration import Difference
from .release.rollback import Rollback, roll_back


def _render(done: Rollback, shell: Shell) -> None:
    alias = shell.stage.function.alias
    image = versions.format_image(done.digest, done.commit)
    # A rollback that ends a canary only has replaced nothing.
    previous = ("", "") if done.version == done.previous_version else (done.previous_version, done.previous_digest)
    current, was = versions.format_replaced(*previous, "currently"), versions.format_replaced(*previous)
    text = {
        "unchanged": f"nothing to do: alias {alias} points at version {done.version} ({image})",
        "would roll back": f"would point alias {alias} at version {done.version or '(new)'} ({image}){current}",
        "rolled back": f"alias {alias} now points at version {done.version} ({image}){was}",
    }[done.action]
    shell.console.print(text, markup=False)
    if done.canary:
        shell.console.print(
            f"{'ended' if done.action == 'rolled back' else 'would end'} the {done.canary}", markup=False
        )
    if done.latest and done.action == "unchanged":
        shell.console.print("$LATEST had another image, and has this one now", markup=False)
    if done.settings:
        shell.console.print(_settings(done.settings, done.action == "rolled back"), markup=False)


def _settings(changed: tuple[Difference, ...], done: bool) -> str:
    """Return the settings that go back with the version, and how to keep them."""
    lines = "\n".join(f"  {one.name}: {'absent' if one.old is None else one.old} → {one.new}" for one in changed)
    verb = "went" if done else "go"
    return f"settings that {verb} back with it (KEEP_SETTINGS=1 or --keep-settings keeps the current ones):\n{lines}"


@verb(acts=True, render=_render)
@click.argument("to", required=False, envvar="TO")
@click.option(
    "--keep-settings", is_flag=True, envvar="KEEP_SETTINGS", help="Keep the current settings: roll back the image only."
)
def main(shell: Shell, to: str | None, keep_settings: bool) -> Rollback:
    """Roll the alias back to TO, a version or a digest prefix (default: the previous image).

    During a canary, or after one was killed, the default is the version that it was to replace. The version brings the
    settings that it was published with; they are listed. A deploy in progress does not delay this: its lock is taken
    over.
    """
    require_account(shell.aws)
    if shell.stage.is_guarded and not shell.dry_run:
        planned = roll_back(shell.aws, to or None, keep_settings=keep_settings, dry_run=True)
        if planned.action == "unchanged":
            return planned
        what = f"Rolls {shell.stage.function.alias} back to version {planned.version} {shorten_digest(planned.digest)}."
        what += f"\nEnds the {planned.canary}." if planned.canary else ""
        shell.confirm(f"{what}\n{_settings(planned.settings, False)}" if planned.settings else what)
    return roll_back(shell.aws, to or None, keep_settings=keep_settings, dry_run=shell.dry_run, say=shell.say)
