"""What moto keeps to undo a transaction: the items that it may change, in place of whole tables.

moto copies every table of a transaction deeply before it begins; with some hundred records, each commit of the worker
would take longer than a second.
"""

import contextvars
import copy
from collections import defaultdict

_transaction: contextvars.ContextVar[list | None] = contextvars.ContextVar("transaction", default=None)


def install() -> None:
    """Let tables be copied thriftily while a transaction takes its backup."""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    original = DynamoDBBackend.transact_write_items

    def transact_write_items(self, transact_items):
        token = _transaction.set(transact_items)
        try:
            return original(self, transact_items)
        finally:
            _transaction.reset(token)

    DynamoDBBackend.transact_write_items = transact_write_items
    Table.__deepcopy__ = _copy


def _copy(table, memo):
    """A copy that shares with the table the items that the transaction under way does not name."""
    writes = _transaction.get()
    if writes is None or table.stream_shard is not None:  # a stream knows its table: copy both
        new = type(table).__new__(type(table))
        memo[id(table)] = new
        new.__dict__ = copy.deepcopy(table.__dict__, memo)
        return new
    new = copy.copy(table)
    new.items = defaultdict(dict, {key: _container(found) for key, found in table.items.items()})
    for hash_key in _named(table, writes):
        if hash_key in table.items:
            new.items[hash_key] = copy.deepcopy(table.items[hash_key])
    return new


def _container(found):
    """Where a table has range keys, the items of a hash key lie in a dictionary of their own."""
    return dict(found) if isinstance(found, dict) else found


def _named(table, writes):
    """The hash keys of a table's items that a transaction writes or checks."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    for write in writes:
        operation = next(iter(write.values()))
        key = operation.get("Key") or operation.get("Item") or {}
        if operation.get("TableName") == table.name and table.hash_key_attr in key:
            yield DynamoType(key[table.hash_key_attr])
