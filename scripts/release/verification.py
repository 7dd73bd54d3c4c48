"""Verify an image: read the commit in its label, rebuild the commit in a clone, and compare the images."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nix.oci.config import REVISION
from nix.oci.digest import DIGEST

from ..aws.clients import Aws, make
from ..aws.registry import Registry
from ..aws.repository import open_reference
from ..checkout.rebuild import rebuild, require_commit
from ..console.errors import DONE, FOUND, NotFound
from ..images.pull import pull
from . import rollback, versions
from .statements import KEYS, Statements, collect

if TYPE_CHECKING:
    from nix.assembly.differences import Difference


@dataclass(frozen=True)
class Verification:
    """The comparison of an image with the rebuild of its commit; `differences` is empty if they are `equal`."""

    digest: str
    revision: str
    rebuilt: str
    equal: bool
    differences: tuple[Difference, ...]
    seconds: float
    statements: Statements

    @property
    def exit_code(self) -> int:
        """3 if the images differ, or a trusted builder's statement is absent or wrong."""
        return DONE if self.equal and not self.statements.problems else FOUND


def verify(
    aws: Aws,
    digest: str | None = None,
    *,
    cached: bool = False,
    say: Callable[[str], None] = lambda _: None,
    keys: Path = KEYS,
) -> Verification:
    """Rebuild the commit of an image of the stage's repository, and compare.

    `digest` may be a version or a prefix of a deployed digest; by default the image that the alias serves. `cached`
    uses layers of this machine's cache. The statement of every builder with a key in `keys` is checked too.
    OperationFailed if the image's commit cannot be rebuilt: a dirty work tree, no label, a commit that this clone does
    not have.
    """
    began = time.monotonic()
    digest = resolve_digest(aws, digest) if digest else find_served_digest(aws)
    registry, _ = open_reference(aws, digest)
    revision = read_revision(registry, digest)
    require_commit(revision)
    statements = collect(registry, digest, revision, keys)
    say(f"{digest} was built from {revision}: rebuilding that commit")
    from nix.assembly.differences import ImageLayout, compare_images
    from nix.cache.folder import in_use
    from nix.cache.workspace import workspace

    with in_use(), workspace() as work:
        layout = rebuild(revision, work, cached=cached)
        rebuilt = ImageLayout(layout).digest
        differences: list[Difference] = []
        if rebuilt != digest:
            say("the digests differ: comparing files")
            differences = compare_images(layout, pull(registry, digest, work / "pulled", layout))
    return Verification(
        digest, revision, rebuilt, rebuilt == digest, tuple(differences), round(time.monotonic() - began, 1), statements
    )


def find_served_digest(aws: Aws) -> str:
    """Return the digest that the stage's alias serves; NotFound before the first deploy."""
    digest = versions.read_live(aws).digest
    if not digest:
        raise NotFound(f"stage {aws.stage.name} has no deployment", make("deploy", aws.stage))
    return digest


def resolve_digest(aws: Aws, name: str) -> str:
    """Resolve a digest, a version, or a prefix of a deployed digest."""
    return name if DIGEST.fullmatch(name) else rollback.find(aws, versions.read_live(aws), name).digest


def read_revision(registry: Registry, digest: str) -> str:
    """Return the commit in an image's label; empty without one."""
    manifest = json.loads(registry.fetch_manifest(digest)[1])
    with registry.open_blob(manifest["config"]["digest"]) as file:
        config: dict[str, Any] = json.load(file)
    return str(((config.get("config") or {}).get("Labels") or {}).get(REVISION, ""))
