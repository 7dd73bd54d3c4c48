"""What moto keeps to undo a transaction: the items that it may change, in place of whole tables.

moto copies every table of a transaction deeply before it begins; with some hundred records, each commit of the worker
would take longer than a second.
"""

import contextvars
import copy

_under_way: contextvars.ContextVar[bool] = contextvars.ContextVar("transaction", default=False)


def install() -> None:
    """Let a transaction that fails undo its writes, and tables pass for their own copies while it runs."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self, transact_items):
        before = list(_named(self.tables, transact_items))
        token = _under_way.set(True)
        try:
            return original(self, transact_items)
        except BaseException:
            for items, key, item in before:
                _put_back(items, key, item)
            raise
        finally:
            _under_way.reset(token)

    DynamoDBBackend.transact_write_items = transact_write_items
    Table.__deepcopy__ = _copy


def _copy(table, memo):
    """The table itself during a transaction, whose undoing is ours; else a copy, as without this method."""
    if _under_way.get() and table.stream_shard is None:  # a stream holds records of the writes: copy both
        return table
    new = type(table).__new__(type(table))
    memo[id(table)] = new
    new.__dict__ = copy.deepcopy(table.__dict__, memo)
    return new


def _named(tables, writes):
    """(the dictionary that holds it, its key there, a copy or None) of each item that a transaction may change."""
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
