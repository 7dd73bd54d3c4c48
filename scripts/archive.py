"""Keep every pinned input in the stage's repository, beside the image: one OCI artifact, each input a blob.

python -m scripts.archive
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from . import _nix
from ._command import Shell, verb
from ._errors import OperationFailed
from ._image import Blob, LocalImage
from ._progress import Progress
from ._repository import connect
from ._text import megabytes
from .push import Pushed, push

assert _nix  # makes `archive_folder` importable


@dataclass(frozen=True)
class Address:
    """Where the stage's archive is, and the value of the Authorization header that opens it."""

    url: str
    repository: str
    authorization: str


def artifact(work: Path) -> LocalImage:
    """Every pinned input, fetched where the cache lacks it, as one artifact; `work` is for its config."""
    import archive_folder
    import vault

    import inputs

    wanted = archive_folder.everything()
    inputs.fetch_these(wanted)
    manifest, config = archive_folder.manifest_of(wanted), work / "config"
    config.write_bytes(archive_folder.EMPTY)
    described = archive_folder.descriptor(archive_folder.EMPTY_TYPE, archive_folder.EMPTY)
    return LocalImage(
        digest=f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        media_type=archive_folder.MANIFEST_TYPE,
        manifest=manifest,
        config=Blob(described["mediaType"], described["digest"], described["size"], config),
        layers=tuple(Blob("", f"sha256:{one.sha256}", one.size, vault.place(one)) for one in wanted),
        revision="",
    )


def address(shell: Shell) -> Address:
    """The stage's repository, signed in."""
    registry = connect(shell.aws)
    try:
        return Address(registry.url, registry.repository, registry.authorization)
    finally:
        registry.close()


def _render(done: Pushed | Address, shell: Shell) -> None:
    if isinstance(done, Address):
        shell.console.print(f"{done.url}/{done.repository}", markup=False)
        return
    sent = f"{megabytes(done.sent_bytes)} of {megabytes(done.total_bytes)}"
    told = {
        "pushed": f"archived {sent} in {done.seconds:.1f} s: {done.total_blobs - 1} inputs",
        "unchanged": "nothing to send: the registry holds this archive",
        "would push": f"would send {sent}",
    }[done.action]
    again = f"build from it: ARCHIVE_REGISTRY=stage make STAGE={shell.stage.name} build"
    shell.console.print(f"{told}\n{done.image_uri} ({done.tag})\n{again}", markup=False)


@verb(acts=True, render=_render)
@click.option("--address", "only_address", is_flag=True, help="Print where the archive is; with --json how to sign in.")
def main(shell: Shell, only_address: bool) -> Pushed | Address:
    """Store every pinned input in the stage's repository, so that the image can be rebuilt without any mirror."""
    if only_address:
        return address(shell)
    from cache import in_use
    from pins import InputProblem

    with in_use(), tempfile.TemporaryDirectory() as work:
        try:
            image = artifact(Path(work))
        except InputProblem as problem:
            raise OperationFailed(str(problem)) from None
        # Tagged like what was deployed: the repository's lifecycle never takes it.
        tag = f"{shell.stage.images.protected_tag_prefix}inputs-{image.digest.removeprefix('sha256:')[:12]}"
        shell.confirm(f"Stores {len(image.layers)} inputs, {megabytes(image.size)}, in {shell.stage.repository}.")
        progress = Progress(silent=shell.as_json)
        return push(shell.aws, image, tag=tag, dry_run=shell.dry_run, progress=progress, say=shell.say)


if __name__ == "__main__":
    main()
