"""Snapshot only the items that a transaction may change, instead of whole tables.

moto deep-copies every table of a transaction first; with a few hundred records, each commit of the worker would take
more than a second.
"""

import contextvars
import copy

in_transaction: contextvars.ContextVar[bool] = contextvars.ContextVar("transaction", default=False)


def install() -> None:
    """Make a failed transaction undo its own writes, and deepcopy return the table itself while one runs."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self, transact_items):
        before = list(_changed_items(self.tables, transact_items))
        token = in_transaction.set(True)
        try:
            return original(self, transact_items)
        except BaseException:
            for items, key, item in before:
                _put_back(items, key, item)
            raise
        finally:
            in_transaction.reset(token)

    DynamoDBBackend.transact_write_items = transact_write_items
    Table.__deepcopy__ = _copy


def _copy(table, memo):
    """Return the table itself during a transaction, which we roll back, or else a deep copy."""
    if in_transaction.get() and table.stream_shard is None:  # a stream records the writes too: copy both
        return table
    new = type(table).__new__(type(table))
    memo[id(table)] = new
    new.__dict__ = copy.deepcopy(table.__dict__, memo)
    return new


def _changed_items(tables, writes):
    """Return (containing dictionary, key, copy or None) of each item that a transaction may change."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    for write in writes:
        operation = next(iter(write.values()))
        key, table = operation.get("Key") or operation.get("Item") or {}, tables.get(operation.get("TableName"))
        if "ConditionCheck" in write or table is None or any(name not in key for name in table.table_key_attrs):
            continue
        items, place = table.items, DynamoType(key[table.hash_key_attr])
        if table.range_key_attr:
            items, place = items[place], DynamoType(key[table.range_key_attr])
        yield items, place, copy.deepcopy(items.get(place))


def _put_back(items, key, item) -> None:
    if item is None:
        items.pop(key, None)
    else:
        items[key] = item
