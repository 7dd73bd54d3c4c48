"""Turn a row of a file or a record of a table into an Item: one rule for `run`, `evaluate`, `enqueue`, the worker.

The same values come as text in CSV, typed in JSON and Parquet, and as decimals and sets in DynamoDB. Here each becomes
the same JSON value, so that a score cannot tell from where its item came.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from plexus.exceptions import InvalidData
from plexus.text import parse_json
from plexus.values import Item

#: The column whose map is the item's metadata itself; all other columns join it.
METADATA = "metadata"
_MAXIMUM_ENCODINGS = 3  # a map as JSON text within JSON text within JSON text
_DEEPEST = 100  # levels of lists and maps; without a limit, the depth that Python manages would depend on the caller


def from_row(row: Mapping[str, object], text: str, excluding: Iterable[str] = ()) -> Item:
    """Return a row's item: the column `text`, and all columns but it and `excluding` as metadata.

    A map in the column `metadata` is merged into them. Raises InvalidData if the text is not one, and if a column and
    a key of `metadata` have the same name and different values.
    """
    columns = {
        str(name): normalize(decode_json(value))
        for name, value in row.items()
        if name != text and name not in excluding
    }
    inner = columns.get(METADATA)
    if isinstance(inner, dict):
        inner = {name: decode_json(value) for name, value in inner.items()}
        del columns[METADATA]
        shared = {name for name in columns.keys() & inner.keys() if columns[name] not in ("", None)}
        differ = sorted(name for name in shared if columns[name] != inner[name])
        if differ:
            raise InvalidData(f"{', '.join(map(repr, differ))}: a column and a key of {METADATA!r}, with other values")
        columns |= inner
    return Item(as_text(row[text]), columns)


def from_record(text: str, metadata: object) -> Item:
    """Return the item of a database record. Raises InvalidData if `metadata` is neither a map nor one as JSON text."""
    for _ in range(_MAXIMUM_ENCODINGS):
        if not isinstance(metadata, str):
            break
        metadata = _parse_or_keep(metadata) if metadata.strip() else None
    fields = {} if metadata is None else metadata
    if not isinstance(fields, Mapping):
        raise InvalidData(f"the item's metadata is {describe(fields)}, expected a map")
    return Item(text, {str(name): normalize(decode_json(value)) for name, value in fields.items()})


def decode_json(value: object) -> object:
    """Return the list or map in a text of JSON, as AWSJSON fields and CSV cells contain it; else the value itself."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        parsed = _parse_or_keep(value)
        return parsed if isinstance(parsed, (list, dict)) else value
    return value


def decode_metadata(item: Item) -> Item:
    """Return the item with each text of its metadata that is JSON as what it encodes, as the original's worker does.

    `"7"` is 7, `"true"` is true and `"null"` is None; texts within lists and maps are as they are.
    """
    decoded = {
        name: _parse_or_keep(value) if isinstance(value, str) else value for name, value in item.metadata.items()
    }
    return Item(item.text, decoded)


def normalize(value: object, depth: int = 0) -> object:
    """Return a value as JSON: sets sorted, 2.0 and Decimal(2) as 2, bytes in base64, times in ISO 8601, NaN as None.

    A duration is a time as well: 30 hours are `P1DT6H`. `depth` is how deeply `value` is nested. Raises InvalidData for
    lists and maps that are nested deeper than 100 levels.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (float, Decimal)):
        return _normalize_number(value)
    if depth >= _DEEPEST:
        raise InvalidData(f"got lists or maps nested deeper than {_DEEPEST} levels")
    if isinstance(value, Mapping):
        return {str(name): normalize(member, depth + 1) for name, member in value.items()}
    if isinstance(value, Set):
        return sorted((normalize(member) for member in value), key=_create_sort_key)
    if isinstance(value, (list, tuple)):
        return [normalize(member, depth + 1) for member in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(value)
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)


def as_text(value: object) -> str:
    """Return a cell as text; empty for null and NaN. Raises InvalidData for lists, maps and bytes.

    A whole number has no decimals: a column of integers with missing values is a column of floats in Parquet.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, Mapping, Set, bytes, bytearray)):
        raise InvalidData(f"got {describe(value)}, expected text")
    plain = normalize(value)
    return "" if plain is None else str(plain)


def describe(value: object) -> str:
    """Return a value's kind for an error, as in `a list`; the value itself is not quoted."""
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "a boolean"),
        ((int, float, Decimal), "a number"),
        (str, "a text"),
        (Mapping, "a map"),
        ((list, tuple), "a list"),
        (Set, "a set"),
        ((bytes, bytearray), "bytes"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), f"a {type(value).__name__}")


def _parse_or_keep(text: str) -> object:
    """Return the JSON value in a text; the text itself if it is not JSON, or nested too deeply to be read."""
    try:
        return normalize(parse_json(text))
    except (ValueError, RecursionError, InvalidData):
        return text


def _normalize_number(value: float | Decimal) -> object:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None if math.isnan(value) else str(value)
        return int(Decimal(str(value))) if value.is_integer() else value
    if not value.is_finite():
        return None if value.is_nan() else str(value).lower()
    # As a float it may be whole: 12345678901234567890.12 has more digits than a float.
    return int(value) if value == value.to_integral_value() else _normalize_number(float(value))


def _create_sort_key(value: object) -> tuple[bool, float, str]:
    """Return a key that sorts numbers before texts: the members of a set have no order of their own."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (not number, value if isinstance(value, (int, float)) else 0, str(value))
