"""Programs on tables: their steps, and what has to be equal of what came of them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from botocore.exceptions import ClientError

from handler.exceptions import HandlerError
from handler.store import Store
from tests.memory.twin import Recorded


class Step(Protocol):
    """One thing that a program does."""

    def run(self, client: Recorded, prefix: str) -> object:
        """Do it on the tables with that prefix; what came of it."""
        ...


@dataclass(frozen=True)
class Worker:
    """A method of the worker's store."""

    method: str
    arguments: tuple[Any, ...]

    def run(self, client: Recorded, prefix: str) -> object:
        """Its answer, or its error's class."""
        store = Store(client, prefix, sleep=lambda _: None)
        try:
            answer = getattr(store, self.method)(*self.arguments)
        except (HandlerError, ClientError, ValueError) as error:  # a ValueError: a record of other types than ours
            return type(error).__name__
        return len(answer) if isinstance(answer, list) else answer  # which of them a limit leaves out is open


@dataclass(frozen=True)
class Call:
    """A call of boto3's client; tables are named without prefix."""

    operation: str
    request: dict[str, Any]

    def run(self, client: Recorded, prefix: str) -> object:
        """Nothing: the client records the answer."""
        try:
            getattr(client, self.operation)(**prefixed(self.request, prefix))
        except ClientError:
            return "refused"
        return None


def prefixed(request: Any, prefix: str) -> Any:
    """The request with the tables' whole names."""
    if isinstance(request, list):
        return [prefixed(part, prefix) for part in request]
    if not isinstance(request, dict):
        return request
    if "RequestItems" in request:
        return {"RequestItems": {prefix + name: part for name, part in request["RequestItems"].items()}}
    return {name: prefix + part if name == "TableName" else prefixed(part, prefix) for name, part in request.items()}


def view(request: dict[str, Any], answer: dict[str, Any]) -> object:
    """An answer without what AWS leaves open: the order of items, and which come where a limit cuts them off."""
    if "Items" in answer:
        items = answer["Items"]
        return by_id(items) if len(items) < request.get("Limit", math.inf) else len(items)
    told = {name: part for name, part in answer.items() if name in _TOLD and part}
    if "Responses" in told:
        told["Responses"] = {name: by_id(items) for name, items in told["Responses"].items() if items}
    for name in ("Item", "Attributes"):
        if name in told:
            told[name] = plain(told[name])
    return told


_TOLD = ("Code", "CancellationReasons", "Item", "Attributes", "Responses", "UnprocessedKeys", "UnprocessedItems")


def by_id(items: Iterable[dict[str, Any]]) -> list[Any]:
    """Items in a fixed order."""
    return sorted((plain(item) for item in items), key=repr)


def plain(item: dict[str, Any]) -> list[tuple[str, Any]]:
    """An item with numbers as numbers and long texts as their length."""

    def short(value: dict[str, Any]) -> Any:
        ((kind, content),) = value.items()
        return Decimal(content) if kind == "N" else (kind, content if len(str(content)) < 99 else len(content))

    return sorted((name, short(value)) for name, value in item.items())
