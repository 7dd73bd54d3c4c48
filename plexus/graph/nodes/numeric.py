"""NumericClassifier: a number that a model names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from plexus.graph.asking import Asker
from plexus.graph.nodes.conversation import Conversation
from plexus.graph.state import Fields, Run, Work

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+"
# `3 to 5` names no number, and of `4/5` or `4 (out of 5)` the second is the scale.
_RANGE = re.compile(rf"(?i)(?:{_NUMBER})\s*(?:[-–—]|to)\s*(?:{_NUMBER})|between\s+(?:{_NUMBER})\s+and\s+(?:{_NUMBER})")
_SCALE = re.compile(rf"(?i)(?<=\d)\s*\(?(?:/|(?:out )?of(?: the)?\b)\s*(?:{_NUMBER})")
# `1,000` is a thousand; `3,5` may be three and a half, or a list: which one, only the model can say.
_COMMAS = re.compile(r"(?<![\d.,])\d+(?:,\d+)+(?:\.\d+)?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_SIGNED = re.compile(rf"(?<![\w.])[-+−]?(?:{_NUMBER})(?!\w)")


def numeric(node: Any, asker: Asker) -> Work:
    """`number` is the reply's number, `value` and `classification` its text; the whole reply explains it."""
    conversation = Conversation(node, asker)
    again = f"Answer with {_wanted(node)}, and nothing else."

    def read(reply: str) -> Decimal | None:
        number = parse_number(reply, from_start=node.parse_from_start)
        return number if number is not None and _fits(number, node) else None

    def work(values: Mapping[str, Any], run: Run) -> Fields:
        number, reply = conversation.answer(values, run, read, again)
        whole = number == number.to_integral_value()
        text = str(int(number)) if whole else format(number.normalize(), "f")
        plain = int(number) if whole else float(number)
        return {"classification": text, "value": text, "explanation": reply.strip(), "number": plain}

    return work


def parse_number(reply: str, *, from_start: bool = False) -> Decimal | None:
    """The last number in the reply (the first, with `from_start`); None when it names none, or only a range."""
    plain = _SCALE.sub("", _RANGE.sub(" ", reply))
    plain = _COMMAS.sub(lambda match: match[0] if _THOUSANDS.fullmatch(match[0]) else " ", plain)
    found = _SIGNED.findall(plain)
    if not found:
        return None
    return Decimal(found[0 if from_start else -1].replace(",", "").replace("−", "-"))


def _fits(number: Decimal, node: Any) -> bool:
    low = node.minimum is None or number >= Decimal(str(node.minimum))
    high = node.maximum is None or number <= Decimal(str(node.maximum))
    return low and high and (not node.whole or number == number.to_integral_value())


def _wanted(node: Any) -> str:
    kind = "one whole number" if node.whole else "one number"
    if node.minimum is not None and node.maximum is not None:
        return f"{kind} from {node.minimum:g} to {node.maximum:g}"
    if node.minimum is not None:
        return f"{kind} of at least {node.minimum:g}"
    return kind if node.maximum is None else f"{kind} of at most {node.maximum:g}"
