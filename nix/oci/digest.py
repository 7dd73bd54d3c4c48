"""Digests in OCI's notation, `sha256:` and 64 hexadecimal digits, taken while bytes are read or written."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from oci.exceptions import InputMismatch

ALGORITHM = "sha256:"
DIGEST = re.compile("sha256:[0-9a-f]{64}")
BLOCK = 1 << 20


def sha256(data: bytes) -> str:
    """The digest of `data`."""
    return ALGORITHM + hashlib.sha256(data).hexdigest()


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """What is left of `file`, in pieces of at most 1 MiB."""
    while block := file.read(BLOCK):
        yield block


def of_file(path: Path) -> str:
    """The digest of the file at `path`."""
    with path.open("rb") as file:
        return ALGORITHM + hashlib.file_digest(file, "sha256").hexdigest()


def encoded(digest: str) -> str:
    """The part after the algorithm: the name of the blob's file."""
    return digest.removeprefix(ALGORITHM)


def require(what: str, expected: str, got: str) -> None:
    """Refuse `what` with both digests when they differ."""
    if expected != got:
        raise InputMismatch(
            f"{what} is not what the lock says\n  expected {expected}\n  got      {got}\n"
            "  It was altered after it was fetched: delete it and build again."
        )
