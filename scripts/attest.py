"""Sign a statement that this builder built the image from its commit, and store it beside the image.

score-processor attest --key KEY.pem --builder URI
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .checkout import ROOT
from .checkout.layout import LAYOUT, read_local_image
from .checkout.rebuild import require_commit
from .command.shell import Shell
from .command.verb import verb
from .console.errors import OperationFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

PASSWORD = "SCORE_PROCESSOR_KEY_PASSWORD"  # noqa: S105  (the variable's name)
MATERIALS = ("nix/locks/image-debs.lock", "nix/locks/image-wheels.lock", "nix/locks/layers.lock")


@dataclass(frozen=True)
class AttestResult:
    """The statement's place; `action` is attested or would attest."""

    action: str
    digest: str
    commit: str
    builder: str
    key: str
    tag: str


def render(result: AttestResult, shell: Shell) -> None:
    """Print what was stated and by which key."""
    shell.print(f"{result.action}: {result.digest} was built from {result.commit} by {result.builder}")
    shell.print(f"key {result.key}")


@verb(acts=True, render=render)
@click.option(
    "--key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help=f"Private ECDSA P-256 key in PEM; {PASSWORD} has its password, if it has one.",
)
@click.option("--builder", required=True, metavar="URI", help="The identity of this builder, as verifiers know it.")
@click.option("--layout", type=click.Path(path_type=Path), help="An OCI image layout (default: build/image).")
def main(shell: Shell, key: Path, builder: str, layout: Path | None) -> AttestResult:
    """Sign that this machine built the pushed image from its commit, and store the statement beside the image.

    The image's bill of materials is stored there too, and its digest is signed. Run it where the image was built. Two
    builders, each with a key of its own, show that neither altered the image.
    """
    from nix import sbom
    from nix.oci.digest import sha256

    from .aws import attestations, repository
    from .release import statement

    image = read_local_image(layout)
    require_commit(image.revision)
    require_locks_of(image.revision)
    secret = read_private_key(key)
    name = statement.compute_key_id(secret.public_key())
    bill = sbom.find(layout or LAYOUT)
    content = statement.create_provenance(
        image.digest, image.revision, builder, list_materials(), sha256(bill) if bill else ""
    )
    result = AttestResult(
        "would attest", image.digest, image.revision, builder, name, attestations.tag_of(image.digest, name)
    )
    shell.confirm(f"States in {shell.stage.repository} that {builder} built {image.digest}.")
    if shell.dry_run:
        return result
    registry = repository.connect(shell.aws)
    try:
        if bill:
            attestations.put(registry, image.digest, attestations.SBOM, bill, attestations.CYCLONEDX)
        attestations.put(registry, image.digest, name, statement.sign(content, secret))
    finally:
        registry.close()
    return replace(result, action="attested")


def read_private_key(path: Path) -> EllipticCurvePrivateKey:
    """Read the signing key, with the password in the environment."""
    from .release import statement

    password = os.environ.get(PASSWORD)
    return statement.parse_private_key(path.read_bytes(), str(path), password.encode() if password else None)


def list_materials() -> dict[str, str]:
    """Return the sha256 of each lock that the image is made from."""
    from nix.oci.digest import digest_file

    return {name: digest_file(ROOT / name).removeprefix("sha256:") for name in MATERIALS}


def require_locks_of(revision: str) -> None:
    """Raise OperationFailed if this checkout is at another commit than the image's, whose locks may differ.

    Looks at the commit only, and not at uncommitted edits.
    """
    from .checkout import git

    if git.commit() != revision:
        raise OperationFailed(
            f"checkout: got commit {git.commit()}, expected {revision}, which the image was built from",
            "make build push attest",
        )
