"""Results as JSON, and whether a stream may be coloured."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, SupportsBytes, TextIO

import click

from .text import UNSHOWN


def to_json_types(value: Any) -> Any:
    """Convert a value to JSON types: dataclasses to objects, times to ISO 8601, decimals to numbers.

    Fields with `repr=False` are left out. Bytes become Base64, as in DynamoDB's own JSON.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json_types(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, dict):
        return {str(key): to_json_types(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_json_types(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, SupportsBytes):
        return base64.b64encode(bytes(value)).decode()
    return str(value) if isinstance(value, Path) else value


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a value as JSON on standard output; control characters and lone surrogates are escaped."""
    in_unicode = sys.stdout is not None and sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(to_json_types(value), indent=indent, ensure_ascii=not in_unicode)
    click.echo(UNSHOWN.sub(lambda match: f"\\u{ord(match[0]):04x}", text))


def is_coloured(stream: TextIO) -> bool:
    """Return whether the stream is a terminal and NO_COLOR is not set."""
    return stream.isatty() and "NO_COLOR" not in os.environ
