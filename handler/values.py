"""Python values ↔ DynamoDB attribute values.

Written here, and not taken from boto3, because traces hold whatever a score left there: floats, NaN, lone surrogates,
numbers past DynamoDB's 38 digits. All of them are stored as something readable, none is an error.
"""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

AttributeValue = dict[str, Any]
Attributes = dict[str, AttributeValue]

_DIGITS = 38
_LARGEST_EXPONENT, _SMALLEST_EXPONENT = 125, -130
_NAMELESS = "(empty)"  # DynamoDB's names have a character at least
_DEEPEST = 28  # DynamoDB allows 32 levels


def encode(value: object, depth: int = 0) -> AttributeValue:
    """One attribute value; unknown types become their type's name, depth past the limit becomes JSON text."""
    if isinstance(value, str):
        return {"S": clean(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, (bytes, bytearray)):
        return {"B": bytes(value)}
    if depth >= _DEEPEST:
        return {"S": clean(_json(value))}
    if isinstance(value, Mapping):
        return {"M": {clean(str(key)) or _NAMELESS: encode(part, depth + 1) for key, part in value.items()}}
    if isinstance(value, (list, tuple, set, frozenset)):
        return {"L": [encode(part, depth + 1) for part in value]}
    return {"S": type(value).__name__}


def record(fields: Mapping[str, object]) -> Attributes:
    """A record's attributes; fields that are None are left out."""
    return {name: encode(value) for name, value in fields.items() if value is not None}


def decode(value: AttributeValue) -> Any:
    """The Python value of one attribute value; numbers become int where they are whole, else Decimal."""
    ((kind, content),) = value.items()
    if kind == "N":
        number = Decimal(content)
        return int(number) if number == number.to_integral_value() else number
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: decode(part) for name, part in content.items()}
    if kind == "L":
        return [decode(part) for part in content]
    if kind == "NS":
        return {Decimal(part) for part in content}
    if kind in ("SS", "BS"):
        return set(content)
    return content


def fields(attributes: Attributes) -> dict[str, Any]:
    """A record's fields as Python values."""
    return {name: decode(value) for name, value in attributes.items()}


def size(value: AttributeValue) -> int:
    """An upper bound of the bytes that DynamoDB counts for an attribute value."""
    ((kind, content),) = value.items()
    if kind in ("S", "N"):
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + size(part) for name, part in content.items())
    if kind == "L":
        return 3 + sum(1 + size(part) for part in content)
    return 1


def record_size(attributes: Attributes) -> int:
    """The same for a whole record."""
    return sum(len(name.encode()) + size(value) for name, value in attributes.items())


def clean(text: str) -> str:
    """The text with lone surrogates replaced, so that it has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _json(value: object) -> str:
    """What is too deep for a record as JSON; its type's name where it is none, as a value inside of itself is."""
    try:
        return json.dumps(value, default=lambda other: type(other).__name__)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _number(value: int | float | Decimal) -> AttributeValue:
    """A number that DynamoDB can hold, else its text."""
    if isinstance(value, int) and abs(value) >= 10**_LARGEST_EXPONENT:
        return {"S": f"integer of {value.bit_length()} bits"}  # str() of such a number may itself be refused
    if isinstance(value, float) and not math.isfinite(value):
        return {"S": str(value)}
    number = Decimal(str(value))
    if not number.is_finite():
        return {"S": str(number)}
    if number == 0:
        return {"N": "0"}
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))  # normalize() would round to 28
    if digits > _DIGITS or not _SMALLEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT:
        return {"S": str(number)}
    return {"N": str(number)}
