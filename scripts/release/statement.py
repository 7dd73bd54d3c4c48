"""Signed statements about an image: in-toto, SLSA provenance 1.0, in a DSSE envelope. Nothing here reads or writes.

The signature is ECDSA on P-256 with SHA-256, with keys in PEM, as cosign writes and reads them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..console.errors import OperationFailed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
PAYLOAD = "application/vnd.in-toto+json"
BILL = "bill of materials"
P256 = "secp256r1"
CREATE = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256; openssl pkey -pubout"
# Identifies the meaning of the parameters and dependencies below; another meaning needs another name.
BUILD_TYPE = "urn:score-processor:build:1"


@dataclass(frozen=True)
class Statement:
    """A builder's statement: the image, the commit that it built, and its URI; `key` is the id of its public key.

    `bill` is the digest of the image's bill of materials; empty if the image has none.
    """

    digest: str
    commit: str
    builder: str
    key: str
    bill: str = ""


def create_provenance(
    digest: str, commit: str, builder: str, materials: Mapping[str, str], bill: str = ""
) -> dict[str, Any]:
    """Return the statement that `builder` built the image `digest` from a commit.

    `materials` are other inputs with the sha256 of each in hexadecimal, `bill` the digest of the bill of materials. No
    time is in it, so that the same build gives the same statement.
    """
    details: dict[str, Any] = {"builder": {"id": builder}}
    if bill:
        details["byproducts"] = [{"name": BILL, "digest": {"sha256": bill.removeprefix("sha256:")}}]
    dependencies: list[dict[str, Any]] = [{"name": "source", "digest": {"gitCommit": commit}}]
    dependencies += [{"name": name, "digest": {"sha256": value}} for name, value in sorted(materials.items())]
    return {
        "_type": STATEMENT,
        "subject": [{"name": "score-processor", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"commit": commit},
                "resolvedDependencies": dependencies,
            },
            "runDetails": details,
        },
    }


def encode_signing_input(kind: str, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: what is signed, so that type and body cannot be confused."""
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(body), body)


def sign(statement: Mapping[str, Any], key: EllipticCurvePrivateKey) -> bytes:
    """Return the DSSE envelope of a statement.

    The payload is JSON with sorted keys. Two signatures of one statement differ: ECDSA draws a nonce for each. `key`
    must be on P-256.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    body = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    signature = key.sign(encode_signing_input(PAYLOAD, body), ECDSA(hashes.SHA256()))
    signatures = [{"keyid": compute_key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}]
    envelope = {"payloadType": PAYLOAD, "payload": base64.b64encode(body).decode(), "signatures": signatures}
    return json.dumps(envelope, sort_keys=True).encode()


def verify(envelope: bytes, key: EllipticCurvePublicKey, digest: str) -> Statement:
    """Return the statement in an envelope, if `key` signed it and it is about the image `digest`.

    Raises OperationFailed otherwise. The signature is checked before anything in the statement is read.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    name = compute_key_id(key)
    try:
        document = json.loads(envelope)
        body = base64.b64decode(document["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in document["signatures"]]
        kind = str(document["payloadType"])
    except (ValueError, KeyError, TypeError) as problem:
        raise _refusal(name, f"not a DSSE envelope: {problem}") from problem
    for signature in signatures:
        try:
            key.verify(signature, encode_signing_input(kind, body), ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return _read(kind, body, name, digest)
    raise _refusal(name, "the signature is not of this key")


def _read(kind: str, body: bytes, name: str, digest: str) -> Statement:
    try:
        value = json.loads(body)
        types = (kind, value["_type"], value["predicateType"], value["predicate"]["buildDefinition"]["buildType"])
        subjects = [f"sha256:{one['digest']['sha256']}" for one in value["subject"]]
        definition, details = value["predicate"]["buildDefinition"], value["predicate"]["runDetails"]
        commit, builder = str(definition["externalParameters"]["commit"]), str(details["builder"]["id"])
        bills = [entry["digest"]["sha256"] for entry in details.get("byproducts", []) if entry["name"] == BILL]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise _refusal(name, f"not a statement of provenance: {problem!r}") from problem
    if types != (PAYLOAD, STATEMENT, PREDICATE, BUILD_TYPE):
        expected = ", ".join((PAYLOAD, STATEMENT, PREDICATE, BUILD_TYPE))
        raise _refusal(name, f"types: got {', '.join(map(str, types))}, expected {expected}")
    if digest not in subjects:
        raise _refusal(name, f"it is about {', '.join(subjects) or 'nothing'}, expected {digest}")
    return Statement(digest, commit, builder, name, f"sha256:{bills[0]}" if bills else "")


def _refusal(name: str, reason: str) -> OperationFailed:
    return OperationFailed(f"statement of key {name}: {reason}", "make attest on the builder whose key this is")


def compute_key_id(key: EllipticCurvePublicKey) -> str:
    """Return the first 16 digits of the sha256 of a public key's DER form."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]


def parse_private_key(pem: bytes, where: str, password: bytes | None = None) -> EllipticCurvePrivateKey:
    """Parse a private key on P-256; OperationFailed names `where` it is from.

    `password` is of an encrypted key. One that is missing, wrong or not needed raises OperationFailed as well.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError) as problem:
        raise OperationFailed(f"private key {where}: {problem}", CREATE) from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != P256:
        raise _other_kind(key, where)
    return key


def parse_public_key(pem: bytes, where: str) -> EllipticCurvePublicKey:
    """Parse a public key on P-256; OperationFailed names `where` it is from."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except ValueError as problem:
        raise OperationFailed(f"public key {where}: {problem}", CREATE) from None
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != P256:
        raise _other_kind(key, where)
    return key


def _other_kind(key: object, where: str) -> OperationFailed:
    return OperationFailed(f"key {where}: got {type(key).__name__}, expected an ECDSA key on P-256", CREATE)


def count_builders(statements: Sequence[Statement]) -> int:
    """Return how many different builders, each with a key of its own, made these statements."""
    return min(len({one.builder for one in statements}), len({one.key for one in statements}))
