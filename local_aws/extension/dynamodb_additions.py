"""Additions to moto's DynamoDB: tables of other accounts, and the time to live, whose setting it only stores.

A table is found by its ARN from any account, as if its resource policy allowed that. As on AWS, an expired item stays
readable until a sweep, and a time that is more than five years ago or no number does not expire it. POST to
/_local_aws/time-to-live makes the next call of DynamoDB sweep first.
"""

import time

from localstack.http import Response
from localstack.services.edge import ROUTER

PATH = "/_local_aws/time-to-live"
EVERY_S = 60.0
OLDEST_S = 5 * 365 * 86400

_next = 0.0


def install() -> None:
    """Add the route, and let a table be named by the ARN of another account."""
    from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

    ROUTER.add(PATH, _sweep_soon, methods=["POST"])
    original = DynamoDBBackend.get_table

    def get_table(self, table_name):
        account = table_name.split(":")[4] if table_name.startswith("arn:") else self.account_id
        backend = self if account == self.account_id else dynamodb_backends[account][self.region_name]
        return original(backend, table_name)

    DynamoDBBackend.get_table = get_table


def _sweep_soon(request, **kwargs):
    global _next
    _next = 0.0
    return Response(status=204)


def sweep(context, request) -> None:
    """Delete the expired items of all tables if that is due. Called before each call, which moto_service serialises."""
    global _next
    if time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY_S
    from moto.dynamodb.models import dynamodb_backends

    tables = [
        table for account in dynamodb_backends.values() for one in account.values() for table in one.tables.values()
    ]
    for table in tables:
        if table.ttl["TimeToLiveStatus"] == "ENABLED":
            for item in filter(lambda item: _is_expired(item, table.ttl["AttributeName"]), table.all_items()):
                table.delete_item(item.hash_key, item.range_key)


def _is_expired(item, attribute: str) -> bool:
    value = item.attrs.get(attribute)
    return value is not None and value.type == "N" and 0 < time.time() - float(value.value) < OLDEST_S
