"""Archive every pinned input in the stage's repository, as one OCI artifact with a blob for each input.

score-processor archive
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from nix.oci.digest import sha256
from nix.oci.media_types import EMPTY, EMPTY_DATA, MANIFEST

from .aws.repository import connect
from .checkout.layout import Blob, LocalImage
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed
from .console.text import format_megabytes, pluralize
from .images.push import PushResult, push


@dataclass(frozen=True)
class Address:
    """The stage's archive, and the value of the Authorization header for it."""

    url: str
    repository: str
    authorization: str


def archive_inputs(work: Path) -> LocalImage:
    """Return every pinned input as one artifact, fetching those that are not cached; `work` receives its config.

    The artifact's digest depends on the inputs only: to archive the same locks again uploads nothing. InputProblem if
    an input cannot be fetched.
    """
    from nix import inputs
    from nix.cache import input_cache
    from nix.input_archive import artifact

    wanted = artifact.list_all_inputs()
    inputs.fetch_these(wanted)
    manifest, config = artifact.encode_manifest(wanted), work / "config"
    config.write_bytes(EMPTY_DATA)
    return LocalImage(
        digest=sha256(manifest),
        media_type=MANIFEST,
        manifest=manifest,
        config=Blob(EMPTY, sha256(EMPTY_DATA), len(EMPTY_DATA), config),
        layers=tuple(Blob("", f"sha256:{one.sha256}", one.size, input_cache.locate_input(one)) for one in wanted),
        revision="",
    )


def find_address(shell: Shell) -> Address:
    """Return the stage's repository with its credentials."""
    registry = connect(shell.aws)
    try:
        return Address(registry.url, registry.repository, registry.authorization)
    finally:
        registry.close()


def _render(done: PushResult | Address, shell: Shell) -> None:
    if isinstance(done, Address):
        shell.console.print(f"{done.url}/{done.repository}", markup=False)
        return
    sent = f"{format_megabytes(done.sent_bytes)} of {format_megabytes(done.total_bytes)}"
    counts = {
        "pushed": f"archived {pluralize(done.total_blobs - 1, 'input')}: uploaded {sent} in {done.seconds:.1f} s",
        "unchanged": "nothing to upload: the registry has this archive",
        "would push": f"would upload {sent}",
    }[done.action]
    again = f"to build from it: ARCHIVE_REGISTRY=stage make STAGE={shell.stage.name} build"
    shell.console.print(f"{counts}\n{done.image_uri} ({done.tag})\n{again}", markup=False)


@verb(acts=True, render=_render)
@click.option(
    "--address", "only_address", is_flag=True, help="Print the archive's address; with --json also its credentials."
)
def main(shell: Shell, only_address: bool) -> PushResult | Address:
    """Archive every pinned input in the stage's repository, to rebuild the image without mirrors."""
    if only_address:
        return find_address(shell)
    from nix.cache.folder import in_use
    from nix.pins import InputProblem

    with in_use(), tempfile.TemporaryDirectory() as work:
        try:
            image = archive_inputs(Path(work))
        except InputProblem as problem:
            raise OperationFailed(str(problem)) from None
        # Tagged like a deployed image, which the repository's lifecycle rule keeps.
        tag = f"{shell.stage.images.protected_tag_prefix}inputs-{image.digest.removeprefix('sha256:')[:12]}"
        shell.confirm(
            f"Stores {pluralize(len(image.layers), 'input')}, {format_megabytes(image.size)}, "
            f"in {shell.stage.repository}."
        )
        return push(shell.aws, image, tag=tag, dry_run=shell.dry_run, progress=shell.count_bytes, say=shell.say)
