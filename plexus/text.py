"""Folding: how two texts are compared when only their words matter."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any


def fold(value: object) -> str:
    """Case and runs of white space made one: ` Not  Sure ` and `not sure` are the same. So are both spellings of é."""
    return " ".join(unicodedata.normalize("NFC", str(value)).casefold().split())


def canonical_json(value: Any) -> bytes:
    """One spelling for each JSON value, so that equal values have equal digests."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """SHA-256 in hex of a JSON value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
