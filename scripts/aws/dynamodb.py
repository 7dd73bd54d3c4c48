"""Read a stage's tables: a scan of all records, or some attributes of many records by id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .backoff import pauses
from .clients import Aws

READ = 100  # BatchGetItem's limit
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0  # the SDK does not retry unprocessed keys and items
Record = dict[str, Any]


def scan(
    aws: Aws,
    table: str,
    condition: str = "",
    values: Mapping[str, str] | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> list[Record]:
    """Return every record that matches `condition`, as Python values; numbers are Decimal.

    `values` are the string values that the condition refers to. `done` is called with the number of records scanned
    for each page. The whole table is read, consistently, whatever the condition.
    """
    values_by_name = {name: {"S": value} for name, value in (values or {}).items()}
    conditions: Any = {"FilterExpression": condition, "ExpressionAttributeValues": values_by_name} if condition else {}
    pages = aws.client("dynamodb").get_paginator("scan")
    records: list[Record] = []
    for page in pages.paginate(TableName=aws.stage.table(table), ConsistentRead=True, **conditions):
        records += map(_plain, page["Items"])
        done(page["ScannedCount"])
    return records


def get(aws: Aws, table: str, ids: Sequence[str], attributes: Sequence[str]) -> Iterator[Record]:
    """Yield `id` and some attributes of each of these records, unordered; absent records are left out."""
    client, name = aws.client("dynamodb"), aws.stage.table(table)
    aliases = {f"#{number}": attribute for number, attribute in enumerate(("id", *attributes))}
    for start in range(0, len(ids), READ):
        request: Any = {
            name: {
                "Keys": [{"id": {"S": identity}} for identity in ids[start : start + READ]],
                "ProjectionExpression": ", ".join(aliases),
                "ExpressionAttributeNames": aliases,
                "ConsistentRead": True,
            }
        }
        for pause_s in pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S):
            answer = client.batch_get_item(RequestItems=request)
            yield from map(_plain, answer["Responses"].get(name, []))
            if not (request := answer.get("UnprocessedKeys")):
                break
            time.sleep(pause_s)


def _plain(item: Mapping[str, Any]) -> Record:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}
