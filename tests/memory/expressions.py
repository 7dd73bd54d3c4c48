"""The part of DynamoDB's expression language that the worker uses."""

import re
from decimal import Decimal
from typing import Any

from tests.memory.wire import Refused

Item = dict[str, dict[str, Any]]
_TOKEN = re.compile(r"\s*(attribute_exists|attribute_not_exists|attribute_type|AND|OR|NOT|[()<>=,+]|[#:\w]+)")

_EXPRESSIONS = ("ConditionExpression", "UpdateExpression", "KeyConditionExpression", "FilterExpression")
_RESERVED = {"status", "value", "type", "name", "key", "text", "order"}
"""The attributes of our records that are reserved words, for which DynamoDB requires a placeholder."""


def refuse_placeholders(request: dict[str, Any]) -> None:
    """Refuse expressions with undefined or unused placeholders, or with a reserved word."""
    text = " ".join(request.get(kind, "") for kind in _EXPRESSIONS)
    settings = {*request.get("ExpressionAttributeNames", {}), *request.get("ExpressionAttributeValues", {})}
    words = {word.lower() for word in re.findall(r"(?<![#:\w])\w+", text)}
    if settings != set(re.findall(r"[#:]\w+", text)) or words & _RESERVED:
        raise Refused("ValidationException")


def met(request: dict[str, Any], item: Item | None) -> bool:
    """Return whether an item, or its absence, meets a request's condition."""
    text = request.get("ConditionExpression")
    names, held = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    return text is None or Condition(text, names, held).holds(item)


class Condition:
    """One condition expression over an item, which may not exist (None)."""

    def __init__(self, text: str, names: dict[str, str], values: dict[str, Any]):
        self.tokens = _TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), f"not understood: {text}"
        self.names, self.values = names, values

    def holds(self, item: Item | None) -> bool:
        """Return whether the item meets the condition."""
        self.at, self.item = 0, item or {}
        value = self._either()
        assert self.at == len(self.tokens), "left over"
        return value

    def _either(self) -> bool:
        value = self._both()
        while self._next_is("OR"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._next_is("AND"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._next_is("NOT"):
            return not self._one()
        if self._next_is("("):
            value = self._either()
            assert self._next_is(")")
            return value
        token = self._take()
        if token in ("attribute_exists", "attribute_not_exists"):
            assert self._next_is("(")
            name = self._take()
            assert self._next_is(")")
            return (self.names.get(name, name) in self.item) == (token == "attribute_exists")
        if token == "attribute_type":
            assert self._next_is("(")
            operand = self._operand(self._take())
            assert self._next_is(",")
            kind = self._operand(self._take())
            assert self._next_is(")")
            return operand is not None and kind is not None and set(operand) == {kind["S"]}
        left, operator, right = self._operand(token), self._take(), self._operand(self._take())
        if left is None or right is None or set(left) != set(right):
            return False
        (entry,), (other,) = left.values(), right.values()
        if "N" in left:
            entry, other = Decimal(entry), Decimal(other)
        if operator == "=":
            return bool(entry == other)
        assert operator == "<"
        return bool({"S", "N", "B"} & set(left) and entry < other)  # others have no order

    def _operand(self, token: str) -> dict[str, Any] | None:
        return self.values[token] if token.startswith(":") else self.item.get(self.names.get(token, token))

    def _take(self) -> str:
        self.at += 1
        return str(self.tokens[self.at - 1])

    def _next_is(self, token: str) -> bool:
        result = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += result
        return result


def update(item: Item, text: str, names: dict[str, str], values: dict[str, Any]) -> Item:
    """Return the item after an update expression with SET, REMOVE and ADD."""
    new = dict(item)
    for clause, body in re.findall(r"(SET|REMOVE|ADD) (.*?)(?= SET | REMOVE | ADD |$)", text):
        for part in body.split(","):
            words = part.replace("=", " ").split()
            name = names.get(words[0], words[0])
            if clause == "SET":
                new[name] = values[words[1]]
            elif clause == "ADD":
                before = new.get(name, {"N": "0"})
                if "N" not in before:
                    raise Refused("ValidationException")
                new[name] = {"N": str(Decimal(before["N"]) + Decimal(values[words[1]]["N"]))}
            else:
                new.pop(name, None)
    return new
