"""Statements and keys beside OpenSSL's."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.release import statement

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed here")


def openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run openssl."""
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)


def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    """A key that openssl made signs a statement whose signature openssl verifies, and no other text."""
    keys = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", tmp_path / "key.pem")
    assert keys.returncode == 0, keys.stderr
    openssl("pkey", "-in", tmp_path / "key.pem", "-pubout", "-out", tmp_path / "public.pem")
    key = statement.parse_private_key((tmp_path / "key.pem").read_bytes(), "key.pem")
    value = statement.create_provenance("sha256:" + "1" * 64, "a" * 40, "https://ci.example.com", {})
    envelope = json.loads(statement.sign(value, key))
    body = base64.b64decode(envelope["payload"])
    (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    for text, status in ((statement.encode_signing_input(envelope["payloadType"], body), 0), (body, 1)):
        (tmp_path / "text").write_bytes(text)
        words = ("dgst", "-sha256", "-verify", tmp_path / "public.pem", "-signature", tmp_path / "signature")
        assert openssl(*words, tmp_path / "text").returncode == status
    public = statement.parse_public_key((tmp_path / "public.pem").read_bytes(), "public.pem")
    assert statement.compute_key_id(public) == envelope["signatures"][0]["keyid"]
