"""The builders' statements about an image, checked with the public keys that this checkout trusts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nix.oci.digest import sha256

from ..aws import attestations
from ..aws.registry import Registry
from ..checkout import ROOT
from ..console.errors import OperationFailed
from . import statement
from .statement import Statement

KEYS = ROOT / "stages" / "keys"
ENOUGH = 2  # builders: a single one may have been compromised


@dataclass(frozen=True)
class Statements:
    """The valid statements about an image, a sentence for each trusted key without one, and the number of such keys."""

    valid: tuple[Statement, ...]
    problems: tuple[str, ...]
    trusted: int

    @property
    def builders(self) -> int:
        """The number of different builders, each with a key of its own."""
        return statement.count_builders(self.valid)


def collect(registry: Registry, digest: str, revision: str, folder: Path = KEYS) -> Statements:
    """Fetch and check the statement of each key in `folder`/*.pem; it must name the image's digest and commit.

    If it names a bill of materials, the bill beside the image must be that one. OperationFailed for a file that is no
    public key. Without keys nothing is trusted, and nothing is valid.
    """
    valid: list[Statement] = []
    problems: list[str] = []
    paths = sorted(folder.glob("*.pem"))
    document = attestations.get(registry, digest, attestations.SBOM) if paths else None
    bill = "" if document is None else sha256(document)
    for path in paths:
        key = statement.parse_public_key(path.read_bytes(), str(path))
        name = statement.compute_key_id(key)
        envelope = attestations.get(registry, digest, name)
        if envelope is None:
            problems.append(f"{path.name}: no statement of key {name} beside the image")
            continue
        try:
            content = statement.verify(envelope, key, digest)
        except OperationFailed as problem:
            problems.append(f"{path.name}: {problem.problem}")
            continue
        if content.commit != revision:
            problems.append(f"{path.name}: commit: got {content.commit}, expected {revision} as in the image's label")
            continue
        if content.bill not in ("", bill):
            problems.append(f"{path.name}: it states the bill of materials {content.bill}, got {bill or 'none'}")
            continue
        valid.append(content)
    return Statements(tuple(valid), tuple(problems), len(paths))


def require_enough(statements: Statements, digest: str) -> None:
    """Raise OperationFailed unless two builders stated the image; without trusted keys nothing is demanded."""
    if statements.trusted and statements.builders < ENOUGH:
        missing = "; ".join(statements.problems) or f"stages/keys has {statements.trusted} key"
        raise OperationFailed(
            f"{digest}: got statements of {statements.builders} builders, expected {ENOUGH}: {missing}",
            "make attest on each builder; SKIP_VERIFY=1 deploys it anyway",
        )
