"""DynamoDB tables in memory, with the operations, conditions and limits that the worker uses."""

from collections.abc import Callable
from typing import Any

from handler import attribute_values
from tests.memory.expressions import Item, met, refuse_placeholders, update
from tests.memory.wire import Refused

TABLES = ("Account", "Item", "Scorecard", "Score", "ScoreVersion", "ScoringJob", "ScoreResult", "Outbox")
MAXIMUM_RECORD_BYTES = 409_600
MAXIMUM_KEY_BYTES = 2048
MOST_READS, MOST_DELETES = 100, 25  # of one batch
MOST_SCANNED = 100  # of one page: small, so that tests have several; DynamoDB's end at 1 MB


class MemoryDynamoDB:
    """Records by table and id; each call is atomic.

    If `is_stale`, reads that are not consistent return a record as it was before its last write, until time passes.
    Of the next batches, `unprocessed` are left without their last key.
    """

    def __init__(self, prefix: str = "", now: Callable[[], float] = lambda: 0.0) -> None:
        self.prefix, self.now = prefix, now
        self.tables: dict[str, dict[str, Item]] = {prefix + name: {} for name in TABLES}
        self.is_stale = False
        self.unprocessed = 0
        self._before: dict[tuple[str, str], tuple[float, Item | None]] = {}

    def put(self, table: str, **fields: object) -> None:
        """Put a record, without a condition."""
        self._write(self.prefix + table, str(fields["id"]), dict[str, Any](attribute_values.record(fields)))

    def fields(self, table: str, record_id: str) -> dict[str, Any]:
        """Return the fields of a record."""
        record: Any = self.tables[self.prefix + table][record_id]
        return attribute_values.decode_fields(record)

    def ids(self, table: str) -> set[str]:
        """Return the ids of a table's records."""
        return set(self.tables[self.prefix + table])

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Perform the operation with AWS's name."""
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

    def _write(self, table: str, key: str, item: Item | None) -> None:
        """Write or delete a record, and keep it as it was before."""
        records = self._table(table)
        self._before[table, key] = (self.now(), records.pop(key, None))
        if item is not None:
            records[key] = item

    def _read_view(self, table: str, is_consistent: bool) -> dict[str, Item]:
        """Return the records of a table as a read sees them."""
        records = self._table(table)
        if is_consistent or not self.is_stale:
            return records
        stale = {key: item for (name, key), (at, item) in self._before.items() if name == table and at == self.now()}
        return {key: item for key, item in {**records, **stale}.items() if item is not None}

    def _keep_unprocessed(self, keys: list[str]) -> list[str]:
        """Return the keys of a batch that stay unprocessed."""
        self.unprocessed -= (is_partial := self.unprocessed > 0)
        return keys[-1:] if is_partial else []

    def _table(self, name: str) -> dict[str, Item]:
        if name not in self.tables:
            raise Refused("ResourceNotFoundException")
        return self.tables[name]

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._read_view(request["TableName"], request.get("ConsistentRead", False)).get(_id(request["Key"]))
        return {"Item": item} if item else {}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        ((_, name),) = request["ExpressionAttributeNames"].items()
        ((_, value),) = request["ExpressionAttributeValues"].items()
        results = [item for item in self._table(request["TableName"]).values() if item.get(name) == value]
        return _page(results, request.get("Limit", MOST_SCANNED))

    def _scan(self, request: dict[str, Any]) -> dict[str, Any]:
        refuse_placeholders(request)
        table = self._read_view(request["TableName"], request.get("ConsistentRead", False))
        after = _id(request["ExclusiveStartKey"]) if "ExclusiveStartKey" in request else ""
        items = [table[key] for key in sorted(table) if key > after]
        looked_at = _page(items, request.get("Limit", MOST_SCANNED))
        condition = {**request, "ConditionExpression": request.get("FilterExpression")}
        results = [item for item in looked_at["Items"] if met(condition, item)]
        return {**looked_at, "Items": results, "Count": len(results)}

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        responses, unprocessed = {}, {}
        for name, wanted in request["RequestItems"].items():
            keys = _distinct([_id(key) for key in wanted["Keys"]], MOST_READS)
            table = self._read_view(name, wanted.get("ConsistentRead", False))
            if left := self._keep_unprocessed(keys):
                unprocessed[name] = {**wanted, "Keys": [{"id": {"S": key}} for key in left]}
            responses[name] = [table[key] for key in keys if key in table and key not in left]
        return {"Responses": responses, "UnprocessedKeys": unprocessed}

    def _batch_write(self, request: dict[str, Any]) -> dict[str, Any]:
        unprocessed = {}
        for name, writes in request["RequestItems"].items():
            new = [write["PutRequest"]["Item"] if "PutRequest" in write else None for write in writes]
            arguments = [item or write["DeleteRequest"]["Key"] for item, write in zip(new, writes, strict=True)]
            keys = _distinct(list(map(_id, arguments)), MOST_DELETES)
            left = self._keep_unprocessed(keys)
            if left:
                unprocessed[name] = [write for key, write in zip(keys, writes, strict=True) if key in left]
            for key, item in zip(keys, new, strict=True):
                if key not in left:
                    self._write(name, key, item)
        return {"UnprocessedItems": unprocessed}

    def _put(self, request: dict[str, Any]) -> dict[str, Any]:
        table, key = self._table(request["TableName"]), _id(request["Item"])
        refuse_placeholders(request)
        new = _write(request, None)
        self._refuse_unless_met(request, table.get(key))
        self._write(request["TableName"], key, new)
        return {}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        table, key = self._table(request["TableName"]), _id(request["Key"])
        refuse_placeholders(request)
        self._refuse_unless_met(request, table.get(key))
        self._write(request["TableName"], key, _write(request, table.get(key)))
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
        news = [_write(part, None) if "Item" in part else None for part in parts]  # sizes before conditions
        failed = [not met(part, old) for part, old in zip(parts, olds, strict=True)]
        if any(failed):
            reasons = [
                {"Code": "ConditionalCheckFailed", **_old(part, old)} if wrong else {"Code": "None"}
                for part, old, wrong in zip(parts, olds, failed, strict=True)
            ]
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        for (name, key), part, old, new in zip(targets, parts, olds, news, strict=True):
            self._write(name, key, new or _write(part, old))
        return {}


def _page(items: list[Item], limit: int) -> dict[str, Any]:
    """Return a page of up to `limit` items, and the key at which the next page starts, if any."""
    page = items[:limit]
    last = {"LastEvaluatedKey": {"id": page[-1]["id"]}} if len(page) == limit else {}
    return {"Items": page, "Count": len(page), **last}


def _distinct(keys: list[str], most: int) -> list[str]:
    """Return the keys of a batch; refuses repeated ones."""
    if len(keys) > most or len(set(keys)) != len(keys):
        raise Refused("ValidationException")
    return keys


def _old(request: dict[str, Any], item: Item | None) -> dict[str, Any]:
    """Return the item that does not meet the condition, if it exists and is requested."""
    asked = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return {"Item": item} if asked and item else {}


def _write(request: dict[str, Any], item: Item | None) -> Item:
    """Return the item after a put or an update."""
    if "Item" in request:
        new = request["Item"]
    else:
        names, held = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        new = update(item or dict(request["Key"]), request["UpdateExpression"], names, held)
    if attribute_values.record_size(new) > MAXIMUM_RECORD_BYTES:
        raise Refused("ValidationException")
    return dict(new)


def _id(key: Item) -> str:
    if len(key["id"]["S"].encode()) > MAXIMUM_KEY_BYTES:
        raise Refused("ValidationException")
    return str(key["id"]["S"])
