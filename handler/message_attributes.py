"""Message attributes: those of the sender are kept in each copy of a message, and a dead letter has one more.

A message has at most ten, and SQS counts their names, types and values with its body.
"""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handler import redact

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

    MessageAttribute = MessageAttributeValueTypeDef
else:  # the stubs are not in the image
    MessageAttribute = dict[str, Any]
MessageAttributes = Mapping[str, MessageAttribute]

REASON = "reason"
MAXIMUM_BYTES = 1_048_576  # of a message; 262,144 until August 2025
MAXIMUM_NUMBER = 10  # of a message; SQS's limit
_REASON_TYPE = "String"


def parse(attributes: object) -> dict[str, MessageAttribute]:
    """Return message attributes as SendMessage accepts them.

    Accepts those of ReceiveMessage (`StringValue`, bytes) and those of an event (`stringValue`, Base64). An attribute
    of another form, which SQS would refuse, is omitted.
    """
    parsed: dict[str, MessageAttribute] = {}
    for name, attribute in attributes.items() if isinstance(attributes, Mapping) else ():
        if not isinstance(attribute, Mapping):
            continue
        kind = attribute.get("DataType") or attribute.get("dataType")
        text = attribute.get("StringValue", attribute.get("stringValue"))
        data = _decode(attribute.get("BinaryValue", attribute.get("binaryValue")))
        if isinstance(kind, str) and isinstance(text, str):
            parsed[str(name)] = {"DataType": kind, "StringValue": text}
        elif isinstance(kind, str) and data is not None:
            parsed[str(name)] = {"DataType": kind, "BinaryValue": data}
    return parsed


def add_reason(body: str, attributes: MessageAttributes, reason: str) -> dict[str, MessageAttribute]:
    """Return the attributes of a dead letter: the sender's, and as much of the reason as there is room for.

    A reason of a sender or of an earlier dead letter is replaced. SQS allows ten attributes: if the sender set
    ten, the last by name is dropped. The body and the other attributes are never truncated, only the reason is.
    """
    kept = {name: attribute for name, attribute in attributes.items() if name != REASON}
    for name in sorted(kept)[MAXIMUM_NUMBER - 1 :]:
        del kept[name]
    room = MAXIMUM_BYTES - measure_message(body, kept) - len(REASON) - len(_REASON_TYPE)
    text = (redact.escape_controls(reason) or "unknown").encode()[: max(0, room)].decode(errors="ignore")
    return {**kept, REASON: {"DataType": _REASON_TYPE, "StringValue": text}} if text else kept


def measure_message(body: str, attributes: MessageAttributes) -> int:
    """Return the bytes that SQS counts for a message."""
    total = len(body.encode(errors="replace"))
    for name, attribute in attributes.items():
        content = attribute.get("BinaryValue", b"")
        data = content if isinstance(content, bytes) else b""  # never a file: `parse` makes bytes
        text = name + attribute["DataType"] + attribute.get("StringValue", "")
        total += len(text.encode(errors="replace")) + len(data)
    return total


def has_room_for_reason(body: str, attributes: MessageAttributes) -> bool:
    """Return whether a reason would fit into the message: then the worker did not send a dead letter without one."""
    return REASON in add_reason(body, attributes, "-")


def _decode(value: object) -> bytes | None:
    """Return binary data, which is Base64 in an event."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) and value else None
    except ValueError:
        return None
