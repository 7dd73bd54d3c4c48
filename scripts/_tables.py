"""Reads of a stage's tables: a whole table, or some attributes of many records by id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ._aws import Aws

READ = 100  # records that DynamoDB reads in one call
Record = dict[str, Any]


def scan(
    aws: Aws,
    table: str,
    condition: str = "",
    values: Mapping[str, str] | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> list[Record]:
    """Return every record for which `condition` holds, as plain values; numbers are Decimal.

    `values` are the condition's; `done` is told how many records each page looked through. All of the table is read.
    """
    given = {name: {"S": value} for name, value in (values or {}).items()}
    chosen = {"FilterExpression": condition, "ExpressionAttributeValues": given} if condition else {}
    pages = aws.client("dynamodb").get_paginator("scan")
    found: list[Record] = []
    for page in pages.paginate(TableName=aws.stage.table(table), ConsistentRead=True, **chosen):
        found += map(_plain, page["Items"])
        done(page["ScannedCount"])
    return found


def get(aws: Aws, table: str, ids: Sequence[str], attributes: Sequence[str]) -> Iterator[Record]:
    """Give `id` and some attributes of each of these records; what is not there is left out."""
    client, name = aws.client("dynamodb"), aws.stage.table(table)
    aliases = {f"#{number}": attribute for number, attribute in enumerate(("id", *attributes))}
    for start in range(0, len(ids), READ):
        left: Any = {
            name: {
                "Keys": [{"id": {"S": identity}} for identity in ids[start : start + READ]],
                "ProjectionExpression": ", ".join(aliases),
                "ExpressionAttributeNames": aliases,
                "ConsistentRead": True,
            }
        }
        for pause in pauses():
            answer = client.batch_get_item(RequestItems=left)
            yield from map(_plain, answer["Responses"].get(name, []))
            if not (left := answer.get("UnprocessedKeys")):
                break
            time.sleep(pause)


def pauses() -> Iterator[float]:
    """Seconds before what DynamoDB left undone is asked for again, which no client does by itself."""
    pause = 0.05
    while True:
        yield pause
        pause = min(2.0, 2 * pause)


def _plain(item: Mapping[str, Any]) -> Record:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}
