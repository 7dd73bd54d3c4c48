"""Restore models and cassettes that the stage's bucket has lost.

score-processor artifacts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .aws import artifacts
from .aws.account import require_account
from .aws.artifacts import Lost
from .checkout.layout import ARTIFACTS
from .command.shell import Shell
from .command.verb import verb
from .console.errors import NotFound
from .console.text import pluralize, shorten_digest


@dataclass(frozen=True)
class Restored:
    """The result; `action` is `restored`, `unchanged` or `would restore`."""

    action: str
    artifacts: Sequence[Lost]


def _render(done: Restored, shell: Shell) -> None:
    if not done.artifacts:
        shell.print("nothing to do: the bucket has every artifact that a champion version names")
    for lost in done.artifacts:
        shell.print(f"{done.action} {shorten_digest(lost.digest)}, of {', '.join(lost.scores)}")


@verb(acts=True, render=_render)
def main(shell: Shell) -> Restored:
    """Restore the models and cassettes that champion versions name and the stage's bucket has lost.

    Deleted files return from the bucket's earlier versions, which are kept for 30 days, other artifacts from
    build/artifacts, where plexus train has stored them.
    """
    require_account(shell.aws)
    lost = artifacts.find_lost(shell.aws)
    if gone := [one for one in lost if not (one.is_restorable or artifacts.is_stored_here(one.digest))]:
        names = "; ".join(f"{one.digest} of {', '.join(one.scores)}" for one in gone)
        raise NotFound(
            f"neither bucket {shell.stage.bucket} nor {ARTIFACTS} has {pluralize(len(gone), 'artifact')}: {names}",
            artifacts.TRAIN,
        )
    if shell.dry_run or not lost:
        return Restored("would restore" if lost else "unchanged", lost)
    shell.confirm(f"Restores {pluralize(len(lost), 'artifact')} in bucket {shell.stage.bucket}.")
    for artifact in lost:
        if artifact.is_restorable:
            artifacts.restore(shell.aws, artifact)
        else:
            _upload(shell, artifact)
    return Restored("restored", lost)


def _upload(shell: Shell, lost: Lost) -> None:
    """Upload an artifact from build/artifacts, after its files were verified."""
    from plexus.artifacts import FolderArtifacts, S3Artifacts

    store = S3Artifacts(shell.aws.client("s3"), shell.stage.bucket, ARTIFACTS)
    store.put(FolderArtifacts(ARTIFACTS).get(lost.digest))
