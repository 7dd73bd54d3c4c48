"""DynamoDB's tables in memory: the operations that the worker uses, with their conditions and limits."""

from collections.abc import Callable
from typing import Any

from handler import values
from tests.memory.expressions import Item, met, refuse_placeholders, updated
from tests.memory.wire import Refused

TABLES = ("Account", "Item", "Scorecard", "Score", "ScoreVersion", "ScoringJob", "ScoreResult", "Outbox")
MAXIMUM_RECORD_BYTES = 409_600
MOST_READS, MOST_DELETES = 100, 25  # of one batch
MOST_SCANNED = 100  # of one page: small, so that tests have several; DynamoDB's end at 1 MB


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
            "PutItem": self._put,
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
        return _page(found, request["Limit"])

    def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        refuse_placeholders(request)
        table = self._table(request["TableName"])
        after = _id(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else ""
        items = [table[key] for key in sorted(table) if key > after]
        looked_at = _page(items, request.get("Limit", MOST_SCANNED))
        condition = {**request, "ConditionExpression": request.get("FilterExpression")}
        found = [item for item in looked_at["Items"] if met(condition, item)]
        return {**looked_at, "Items": found, "Count": len(found)}

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        responses = {}
        for name, wanted in request["RequestItems"].items():
            keys = _distinct([_id(key) for key in wanted["Keys"]], MOST_READS)
            table = self._table(name)
            responses[name] = [table[key] for key in keys if key in table]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def _batch_write(self, request: dict[str, Any]) -> dict[str, Any]:
        for name, writes in request["RequestItems"].items():
            table = self._table(name)
            for key in _distinct([_id(write["DeleteRequest"]["Key"]) for write in writes], MOST_DELETES):
                table.pop(key, None)
        return {"UnprocessedItems": {}}

    def _put(self, request: dict[str, Any]) -> dict[str, Any]:
        table, key = self._table(request["TableName"]), _id(request["Item"])
        refuse_placeholders(request)
        new = _written(request, None)
        self._refuse_unless_met(request, table.get(key))
        table[key] = new
        return {}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        table, key = self._table(request["TableName"]), _id(request["Key"])
        refuse_placeholders(request)
        self._refuse_unless_met(request, table.get(key))
        table[key] = _written(request, table.get(key))
        return {"Attributes": table[key]} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _refuse_unless_met(self, request: dict[str, Any], item: Item | None) -> None:
        if not met(request, item):
            raise Refused("ConditionalCheckFailedException", 400, **_old(request, item))

    def _transact(self, request: dict[str, Any]) -> dict[str, Any]:
        parts = [part for each in request["TransactItems"] for part in each.values()]
        targets = [(part["TableName"], _id(part.get("Key") or part["Item"])) for part in parts]
        if len(set(targets)) != len(targets):
            raise Refused("ValidationException")
        for part in parts:
            refuse_placeholders(part)
        olds = [self._table(name).get(key) for name, key in targets]
        news = [_written(part, None) if "Item" in part else None for part in parts]  # sizes before conditions
        failed = [not met(part, old) for part, old in zip(parts, olds, strict=True)]
        if any(failed):
            reasons = [
                {"Code": "ConditionalCheckFailed", **_old(part, old)} if wrong else {"Code": "None"}
                for part, old, wrong in zip(parts, olds, failed, strict=True)
            ]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for (name, key), part, old, new in zip(targets, parts, olds, news, strict=True):
            self._table(name)[key] = new or _written(part, old)
        return {}


def _page(items: list[Item], limit: int) -> dict[str, Any]:
    """Up to `limit` items; where there may be more, where to go on."""
    page = items[:limit]
    last = {"LastEvaluatedKey": {"id": page[-1]["id"]}} if len(page) == limit else {}
    return {"Items": page, "Count": len(page), **last}


def _distinct(keys: list[str], most: int) -> list[str]:
    """The keys of a batch, which may not repeat."""
    if len(keys) > most or len(set(keys)) != len(keys):
        raise Refused("ValidationException")
    return keys


def _old(request: dict[str, Any], item: Item | None) -> dict[str, Any]:
    """The item that does not meet the condition, where it is asked for and exists."""
    asked = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return {"Item": item} if asked and item else {}


def _written(request: dict[str, Any], item: Item | None) -> Item:
    """The item after a put or an update."""
    if "Item" in request:
        new = request["Item"]
    else:
        names, held = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        new = updated(item or dict(request["Key"]), request["UpdateExpression"], names, held)
    if values.record_size(new) > MAXIMUM_RECORD_BYTES:
        raise Refused("ValidationException")
    return dict(new)


def _id(key: Item) -> str:
    return str(key["id"]["S"])
