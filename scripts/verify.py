"""Prove that what runs is what the repository says: deployed digest → commit → clean rebuild → the same digest.

python -m scripts.verify [DIGEST]
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from . import _nix, _release, rollback
from ._aws import Aws, make
from ._command import DONE, FAILED, Shell, verb
from ._errors import NotFound
from ._pull import DIGEST, Source, open_reference, pull
from ._rebuild import rebuild, require_commit

if TYPE_CHECKING:
    from differences import Difference

assert _nix  # makes `workspace` and `differences` importable
REVISION = "org.opencontainers.image.revision"
SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """Whether a commit builds the image that names it. `differences` is empty when `equal`."""

    digest: str
    revision: str
    rebuilt: str
    equal: bool
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 when the image is not what its commit builds."""
        return DONE if self.equal else FAILED


def verify(
    aws: Aws, digest: str | None = None, *, cached: bool = False, say: Callable[[str], None] = lambda _: None
) -> Verdict:
    """Build the commit again that an image of the stage's repository names, and compare.

    `digest` may be a version, or the first digits of what was deployed; None is what the stage's alias runs. `cached`
    takes layers from this machine's cache. OperationFailed when the image names no commit that can be built again: a
    dirty work tree, no git, a commit that this clone lacks.
    """
    began = time.monotonic()
    digest = whole(aws, digest) if digest else deployed(aws)
    source, _ = open_reference(aws, digest)
    revision = revision_of(source, digest)
    require_commit(revision)
    say(f"{digest} says that it was built from {revision}: building that commit again")
    from cache import in_use
    from differences import Layout, image_differences
    from workspace import workspace

    with in_use(), workspace() as work:
        layout = rebuild(revision, work, cached=cached)
        rebuilt = Layout(layout).digest
        found: list[Difference] = []
        if rebuilt != digest:
            say("the digests differ: looking for the first file that does")
            found = image_differences(layout, pull(source, digest, work / "pulled", layout))
    return Verdict(digest, revision, rebuilt, rebuilt == digest, tuple(found), round(time.monotonic() - began, 1))


def deployed(aws: Aws) -> str:
    """The digest that the stage's alias runs."""
    digest = _release.read_live(aws).digest
    if not digest:
        raise NotFound(f"nothing is deployed in stage {aws.stage.name}", make("deploy", aws.stage))
    return digest


def whole(aws: Aws, name: str) -> str:
    """A digest as it is; else the digest of the version that is called so, or of the image that begins so."""
    return name if DIGEST.fullmatch(name) else rollback.find(aws, _release.read_live(aws), name).digest


def revision_of(source: Source, digest: str) -> str:
    """The commit in the labels of an image; empty when it names none."""
    manifest = json.loads(source.manifest(digest)[1])
    with source.blob(manifest["config"]["digest"]) as file:
        config: dict[str, Any] = json.load(file)
    return str(((config.get("config") or {}).get("Labels") or {}).get(REVISION, ""))


def render(verdict: Verdict, shell: Shell) -> None:
    """Equal, or what differs."""
    show = shell.console.print
    show(f"commit   {verdict.revision}", markup=False)
    show(f"deployed {verdict.digest}", markup=False)
    show(f"rebuilt  {verdict.rebuilt}", markup=False)
    for found in verdict.differences[:SHOWN]:
        show(f"  {found.layer}: /{found.path}: {found.kind}", markup=False)
        show(f"      the commit builds {found.expected}, deployed is {found.got}", markup=False)
    if len(verdict.differences) > SHOWN:
        show(f"  and {len(verdict.differences) - SHOWN} more (--json shows all)", markup=False)
    told = "the same image" if verdict.equal else "NOT the image that this commit builds"
    show(f"{told} ({verdict.seconds} s)", markup=False)


@verb(render=render)
@click.argument("digest", required=False)
@click.option("--cached", is_flag=True, help="Take layers from this machine's cache; quicker, and proves less.")
def main(shell: Shell, digest: str | None, cached: bool) -> Verdict:
    """Build the commit of an image again, in a clone of its own, and compare.

    DIGEST is a digest, the first digits of one that was deployed, or a version; without it what the stage's alias runs.
    """
    return verify(shell.aws, digest, cached=cached, say=shell.say)


if __name__ == "__main__":
    main()
