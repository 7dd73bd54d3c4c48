"""Digests in OCI's notation: `sha256:` and 64 lowercase hexadecimal digits. All code that needs them is here."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .exceptions import InputMismatch

ALGORITHM = "sha256:"
HEX = "[0-9a-f]{64}"
DIGEST = re.compile(ALGORITHM + HEX)
BLOCK = 1 << 20


def sha256(data: bytes) -> str:
    """Return the digest of `data`."""
    return ALGORITHM + hashlib.sha256(data).hexdigest()


def read_blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of `file` in pieces of at most 1 MiB."""
    while block := file.read(BLOCK):
        yield block


def digest_file(path: Path) -> str:
    """Return the digest of a file's content, which is read in pieces; raises OSError."""
    with path.open("rb") as file:
        return ALGORITHM + hashlib.file_digest(file, "sha256").hexdigest()


def encoded(digest: str) -> str:
    """Return the hexadecimal part of a digest, `encoded` in OCI's grammar, which names the blob's file in a layout."""
    return digest.removeprefix(ALGORITHM)


def require(what: str, expected: str, got: str) -> None:
    """Raise InputMismatch, with both digests, if they differ; `what` names the input."""
    if expected != got:
        raise InputMismatch(
            f"{what} does not match the lock\n  expected {expected}\n  got      {got}\n"
            "  It was altered after it was fetched. next: delete it and build again"
        )
