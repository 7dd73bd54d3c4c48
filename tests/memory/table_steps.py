"""Steps of programs on tables, and the parts of their answers that must be equal."""

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
    """A step of a program."""

    def run(self, client: Recorded, prefix: str) -> object:
        """Run the step on the tables with that prefix; returns its result."""
        ...


@dataclass(frozen=True)
class Worker:
    """A method of the worker's store."""

    method: str
    arguments: tuple[Any, ...]

    def run(self, client: Recorded, prefix: str) -> object:
        """Return its result, or the class of its error."""
        recorded: Any = client
        store = Store(recorded, prefix, sleep=lambda _: None)
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
        """Make the call; the client records the answer."""
        try:
            getattr(client, self.operation)(**add_prefix(self.request, prefix))
        except ClientError:
            return "refused"
        return None


def add_prefix(request: Any, prefix: str) -> Any:
    """Return the request with prefixed table names."""
    if isinstance(request, list):
        return [add_prefix(part, prefix) for part in request]
    if not isinstance(request, dict):
        return request
    if "RequestItems" in request:
        return {"RequestItems": {prefix + name: part for name, part in request["RequestItems"].items()}}
    return {name: prefix + part if name == "TableName" else add_prefix(part, prefix) for name, part in request.items()}


def view(request: dict[str, Any], answer: dict[str, Any]) -> object:
    """Return an answer without what AWS leaves open: the order of items, and the choice of items below a limit."""
    if "Items" in answer:
        items = answer["Items"]
        return by_id(items) if len(items) < request.get("Limit", math.inf) else len(items)
    compared = {name: part for name, part in answer.items() if name in _COMPARED and part}
    if "Responses" in compared:
        compared["Responses"] = {name: by_id(items) for name, items in compared["Responses"].items() if items}
    for name in ("Item", "Attributes"):
        if name in compared:
            compared[name] = plain(compared[name])
    return compared


_COMPARED = ("Code", "CancellationReasons", "Item", "Attributes", "Responses", "UnprocessedKeys", "UnprocessedItems")


def by_id(items: Iterable[dict[str, Any]]) -> list[Any]:
    """Return items in a fixed order."""
    return sorted((plain(item) for item in items), key=repr)


def plain(item: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return an item with numbers as numbers and long texts as their length."""

    def short(value: dict[str, Any]) -> Any:
        ((kind, content),) = value.items()
        return Decimal(content) if kind == "N" else (kind, content if len(str(content)) < 99 else len(content))

    return sorted((name, short(value)) for name, value in item.items())
