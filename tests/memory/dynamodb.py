"""DynamoDB's tables in memory: the operations that the worker uses, with their conditions and limits."""

from collections.abc import Callable
from typing import Any

from handler import values
from tests.memory.expressions import Condition, Item, updated
from tests.memory.wire import Refused

TABLES = ("Account", "Item", "Scorecard", "Score", "ScoreVersion", "ScoringJob", "ScoreResult", "Outbox")
MAXIMUM_RECORD_BYTES = 409_600


class MemoryDynamoDB:
    """Records by table and id; each call is atomic."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.tables: dict[str, dict[str, Item]] = {prefix + name: {} for name in TABLES}

    def put(self, table: str, **fields: object) -> None:
        """A record, without condition."""
        self.tables[self.prefix + table][str(fields["id"])] = values.record(fields)

    def fields(self, table: str, record_id: str) -> dict[str, Any]:
        """A record's fields."""
        return values.fields(self.tables[self.prefix + table][record_id])

    def ids(self, table: str) -> set[str]:
        """The ids of a table's records."""
        return set(self.tables[self.prefix + table])

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """One operation, by AWS's name."""
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get,
            "Query": self._query,
            "Scan": self._scan,
            "UpdateItem": self._update,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
        }
        return operations[operation](request)

    def _table(self, name: str) -> dict[str, Item]:
        if name not in self.tables:
            raise Refused("ResourceNotFoundException")
        return self.tables[name]

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._table(request["TableName"]).get(_id(request["Key"]))
        return {"Item": item} if item else {}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        ((_, name),) = request["ExpressionAttributeNames"].items()
        ((_, value),) = request["ExpressionAttributeValues"].items()
        found = [item for item in self._table(request["TableName"]).values() if item.get(name) == value]
        return {"Items": found[: request["Limit"]], "Count": len(found)}

    def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Items": list(self._table(request["TableName"]).values())[: request["Limit"]]}

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        responses = {}
        for name, wanted in request["RequestItems"].items():
            table = self._table(name)
            keys = [_id(key) for key in wanted["Keys"]]
            if len(set(keys)) != len(keys):
                raise Refused("ValidationException")
            responses[name] = [table[key] for key in keys if key in table]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _batch_write(self, request: dict[str, Any]) -> dict[str, Any]:
        for name, writes in request["RequestItems"].items():
            if len(writes) > 25:
                raise Refused("ValidationException")
            for write in writes:
                self._table(name).pop(_id(write["DeleteRequest"]["Key"]), None)
        return {"UnprocessedItems": {}}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        table, key = self._table(request["TableName"]), _id(request["Key"])
        item = table.get(key)
        if not _allowed(request, item):
            more: dict[str, Any] = {"Item": item} if item else {}
            raise Refused("ConditionalCheckFailedException", 400, **more)
        table[key] = _updated(request, item)
        return {"Attributes": table[key]}

    def _transact(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = [next(iter(item.items())) for item in request["TransactItems"]]
        reasons = [{"Code": "None" if self._permits(part) else "ConditionalCheckFailed"} for _, part in parts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for kind, part in parts:
            table = self._table(part["TableName"])
            if kind == "Put":
                if values.record_size(part["Item"]) > MAXIMUM_RECORD_BYTES:
                    raise Refused("ValidationException")
                table[_id(part["Item"])] = part["Item"]
            else:
                table[_id(part["Key"])] = _updated(part, table[_id(part["Key"])])
        return {}

    def _permits(self, part: dict[str, Any]) -> bool:
        return _allowed(part, self._table(part["TableName"]).get(_id(part.get("Key") or part["Item"])))


def _allowed(request: dict[str, Any], item: Item | None) -> bool:
    text = request.get("ConditionExpression")
    names, held = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
    return text is None or Condition(text, names, held).holds(item)


def _updated(request: dict[str, Any], item: Item | None) -> Item:
    return updated(
        item or dict(request["Key"]),
        request["UpdateExpression"],
        request["ExpressionAttributeNames"],
        request["ExpressionAttributeValues"],
    )


def _id(key: Item) -> str:
    return str(key["id"]["S"])
