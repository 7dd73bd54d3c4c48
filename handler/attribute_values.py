"""Python values ↔ DynamoDB attribute values.

boto3's own serializer raises for floats, NaN, lone surrogates and numbers with more than 38 digits. Traces may contain
all of them, since scores write whatever they like there, so this one stores each as something readable.
"""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    AttributeValue = AttributeValueTypeDef
else:  # the stubs are not in the image
    AttributeValue = dict[str, Any]
Attributes = dict[str, AttributeValue]

_DIGITS = 38  # of a DynamoDB number
_LARGEST_EXPONENT, _SMALLEST_EXPONENT = 125, -130
_NAMELESS = "(empty)"  # names in DynamoDB have at least one character
#: Levels of lists and maps in a field; DynamoDB allows 32 in a record.
DEEPEST = 28


def encode(value: object, depth: int = 0) -> AttributeValue:
    """Encode any Python value; never raises.

    A value of an unknown type becomes the name of its type, and a value nested too deeply becomes JSON text. `depth`
    is how deeply `value` is nested.
    """
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
    if depth >= DEEPEST:
        return {"S": clean(_json(value))}
    if isinstance(value, Mapping):
        return {"M": {clean(str(key)) or _NAMELESS: encode(part, depth + 1) for key, part in value.items()}}
    if isinstance(value, (list, tuple, set, frozenset)):
        return {"L": [encode(part, depth + 1) for part in value]}
    return {"S": type(value).__name__}


def record(fields: Mapping[str, object]) -> Attributes:
    """Encode the fields of a record; fields that are None are omitted."""
    return {name: encode(value) for name, value in fields.items() if value is not None}


def decode(value: AttributeValue) -> Any:
    """Decode one attribute value; a number becomes an int if it is whole, else a Decimal.

    The inverse of `encode` for what `encode` writes. Sets become Python sets, and BOOL and B are returned as they are.
    """
    kind, content = _kind_and_content(value)
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


def decode_fields(attributes: Attributes) -> dict[str, Any]:
    """Decode the fields of a record."""
    return {name: decode(value) for name, value in attributes.items()}


def measure_value(value: AttributeValue) -> int:
    """Return an upper bound of the bytes that DynamoDB counts for an attribute value.

    DynamoDB counts UTF-8 for text and names. A number counts less than its digits, so that the sum may be too large
    and never too small.
    """
    kind, content = _kind_and_content(value)
    if kind in ("S", "N"):
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "M":
        return 3 + sum(len(name.encode()) + 1 + measure_value(part) for name, part in content.items())
    if kind == "L":
        return 3 + sum(1 + measure_value(part) for part in content)
    return 1


def record_size(attributes: Attributes) -> int:
    """Return an upper bound of the bytes that DynamoDB counts for a record."""
    return sum(len(name.encode()) + measure_value(value) for name, value in attributes.items())


def clean(text: str) -> str:
    """Replace lone surrogates, so that the text can be encoded as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _kind_and_content(value: AttributeValue) -> tuple[str, Any]:
    """Return an attribute value's only member: its type descriptor (`S`, `N`, …) and its content."""
    ((kind, content),) = value.items()
    return kind, content


def _json(value: object) -> str:
    """Return the value as JSON, or the name of its type if JSON cannot represent it (a list that contains itself)."""
    try:
        return json.dumps(value, default=lambda other: type(other).__name__)
    except (TypeError, ValueError, RecursionError):
        return type(value).__name__


def _number(value: int | float | Decimal) -> AttributeValue:
    """Encode a number, as text if it is outside DynamoDB's limits."""
    if isinstance(value, int) and abs(value) >= 10**_LARGEST_EXPONENT:
        return {"S": f"integer of {value.bit_length()} bits"}  # Python refuses to convert very long integers to text
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
