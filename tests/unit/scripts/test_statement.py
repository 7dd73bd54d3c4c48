"""Signed statements: who built an image, from which commit."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from scripts.console.errors import OperationFailed
from scripts.release import statement
from scripts.release.statements import Statements, require_enough

DIGEST, COMMIT, BUILDER = "sha256:" + "1" * 64, "a" * 40, "https://ci.example.com/one"
KEY = ec.generate_private_key(ec.SECP256R1())


def envelope(key: ec.EllipticCurvePrivateKey = KEY, digest: str = DIGEST, builder: str = BUILDER) -> bytes:
    """A signed statement about an image."""
    return statement.sign(statement.create_provenance(digest, COMMIT, builder, {"locks": "2" * 64}), key)


def test_the_encoding_is_that_of_dsse() -> None:
    """The signed bytes are those of the example in DSSE's protocol.md."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert statement.encode_signing_input("http://example.com/HelloWorld", b"hello world") == expected


def test_a_statement_is_read_back() -> None:
    """Digest, commit, builder and key of a valid statement are returned."""
    name = statement.compute_key_id(KEY.public_key())
    assert statement.verify(envelope(), KEY.public_key(), DIGEST) == statement.Statement(DIGEST, COMMIT, BUILDER, name)


def test_the_statement_is_slsa_provenance() -> None:
    """The payload is an in-toto statement with SLSA's predicate, the image as subject, and the commit and locks."""
    value = json.loads(base64.b64decode(json.loads(envelope())["payload"]))
    assert (value["_type"], value["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    assert value["subject"][0]["digest"] == {"sha256": "1" * 64}
    dependencies = value["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert [entry["digest"] for entry in dependencies] == [{"gitCommit": COMMIT}, {"sha256": "2" * 64}]
    assert value["predicate"]["runDetails"]["builder"] == {"id": BUILDER}


def test_a_statement_names_the_bill_of_materials() -> None:
    """The bill's digest is a by-product of the build, and is read back; a statement without one has none."""
    bill = "sha256:" + "4" * 64
    value = statement.create_provenance(DIGEST, COMMIT, BUILDER, {}, bill)
    assert value["predicate"]["runDetails"]["byproducts"] == [
        {"name": "bill of materials", "digest": {"sha256": "4" * 64}}
    ]
    assert statement.verify(statement.sign(value, KEY), KEY.public_key(), DIGEST).bill == bill
    assert statement.verify(envelope(), KEY.public_key(), DIGEST).bill == ""


def test_every_changed_byte_of_the_payload_is_noticed() -> None:
    """No byte of the payload can be changed without breaking the signature."""
    document = json.loads(envelope())
    body = base64.b64decode(document["payload"])
    for place in range(len(body)):
        changed = bytes([*body[:place], body[place] ^ 1, *body[place + 1 :]])
        text = json.dumps({**document, "payload": base64.b64encode(changed).decode()}).encode()
        with pytest.raises(OperationFailed, match="the signature is not of this key"):
            statement.verify(text, KEY.public_key(), DIGEST)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (envelope(ec.generate_private_key(ec.SECP256R1())), "the signature is not of this key"),
        (envelope(digest="sha256:" + "3" * 64), f"it is about sha256:{'3' * 64}, expected {DIGEST}"),
        (json.dumps({**json.loads(envelope()), "payloadType": "text/plain"}).encode(), "the signature is not of this"),
        (json.dumps({**json.loads(envelope()), "signatures": []}).encode(), "the signature is not of this key"),
        (statement.sign({"_type": "other"}, KEY), "not a statement of provenance"),
        (b"{}", "not a DSSE envelope"),
        (b"[", "not a DSSE envelope"),
        (b"[]", "not a DSSE envelope"),
        (b'{"payload": "!", "payloadType": "", "signatures": []}', "not a DSSE envelope"),
    ],
    ids=["key", "image", "type", "unsigned", "statement", "empty", "text", "list", "base64"],
)
def test_what_is_no_statement_of_this_key_about_this_image_is_refused(text: bytes, sentence: str) -> None:
    """Another key, image, type or format is refused with the reason."""
    with pytest.raises(OperationFailed, match=sentence):
        statement.verify(text, KEY.public_key(), DIGEST)


def test_builders_need_names_and_keys_of_their_own() -> None:
    """One builder with two keys, and two names with one key, are one builder."""
    first, second = (statement.Statement(DIGEST, COMMIT, name, name) for name in ("one", "two"))
    assert statement.count_builders([first, second]) == 2
    assert statement.count_builders([first, statement.Statement(DIGEST, COMMIT, "one", "two")]) == 1
    assert statement.count_builders([first, statement.Statement(DIGEST, COMMIT, "two", "one")]) == 1
    assert statement.count_builders([]) == 0


def test_other_kinds_of_keys_are_refused() -> None:
    """A key on another curve or of another kind is named with what is expected."""
    edwards = ed25519.Ed25519PrivateKey.generate()
    private = edwards.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    larger = ec.generate_private_key(ec.SECP384R1()).public_key()
    public = larger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(OperationFailed, match=r"key k\.pem: got Ed25519PrivateKey, expected an ECDSA key on P-256"):
        statement.parse_private_key(private, "k.pem")
    with pytest.raises(OperationFailed, match="expected an ECDSA key on P-256"):
        statement.parse_public_key(public, "p.pem")
    with pytest.raises(OperationFailed, match=r"public key p\.pem: "):
        statement.parse_public_key(b"no key", "p.pem")


def test_production_demands_two_builders() -> None:
    """With trusted keys fewer than two builders are refused, with each missing statement; without keys none is."""
    first, second = (statement.Statement(DIGEST, COMMIT, name, name) for name in ("one", "two"))
    require_enough(Statements((first, second), (), 2), DIGEST)
    require_enough(Statements((), (), 0), DIGEST)
    with pytest.raises(OperationFailed, match=r"got statements of 1 builders, expected 2: two\.pem: no statement"):
        require_enough(Statements((first,), ("two.pem: no statement",), 2), DIGEST)
    with pytest.raises(OperationFailed, match="stages/keys has 1 key"):
        require_enough(Statements((first,), (), 1), DIGEST)
