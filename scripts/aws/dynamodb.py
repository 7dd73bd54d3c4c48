"""Read a stage's tables: a scan of all records, an index in its order, or many records by id."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..console.errors import NotFound
from .backoff import generate_pauses
from .clients import Aws, make, read_error_code

BATCH = 100  # BatchGetItem's limit
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


def query(
    aws: Aws,
    table: str,
    index: str,
    key: str,
    values: Mapping[str, str],
    condition: str = "",
    done: Callable[[int], None] = lambda _: None,
) -> Iterator[Record]:
    """Yield an index's entries for a key condition, the greatest sort key first, page by page as they are needed.

    `values` are the string values of both conditions; `condition` filters by attributes of the index. `done` is called
    with the number of entries read for each page. NotFound if the table has no such index, or not yet.
    """
    client = aws.client("dynamodb")
    request: Any = {"FilterExpression": condition} if condition else {}
    pages = client.get_paginator("query").paginate(
        TableName=aws.stage.table(table),
        IndexName=index,
        KeyConditionExpression=key,
        ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
        ScanIndexForward=False,
        **request,
    )
    try:
        for page in pages:
            done(page["ScannedCount"])
            yield from map(_plain, page["Items"])
    except client.exceptions.ClientError as error:
        # ValidationException on AWS, also while the index is being filled; the local AWS has the other code.
        if read_error_code(error) not in ("ValidationException", "ResourceNotFoundException") or "index" not in str(
            error
        ):
            raise
        name, reason = aws.stage.table(table), error.response["Error"].get("Message", "")
        raise NotFound(f"table {name}: index {index}: {reason}", make("infra-deploy", aws.stage)) from None


def find_accounts(aws: Aws) -> list[str]:
    """Return the ids of the accounts with the stage's key, of which the worker expects exactly one."""
    response = aws.client("dynamodb").query(
        TableName=aws.stage.table("Account"),
        IndexName=aws.stage.index("Account").name,
        KeyConditionExpression="#key = :key",
        ExpressionAttributeNames={"#key": "key"},
        ExpressionAttributeValues={":key": {"S": aws.stage.account_key}},
    )["Items"]
    return sorted(entry["id"]["S"] for entry in response)


def get(aws: Aws, table: str, ids: Sequence[str], attributes: Sequence[str] = ()) -> Iterator[Record]:
    """Yield these records, unordered, absent ones left out: `id` and some attributes, or all without `attributes`.

    Reads are consistent and in batches of BATCH ids; keys that DynamoDB leaves unprocessed are asked for again, with
    growing pauses, until none is left. `ids` must be distinct: BatchGetItem rejects duplicates.
    """
    client, name = aws.client("dynamodb"), aws.stage.table(table)
    aliases = {f"#{number}": attribute for number, attribute in enumerate(("id", *attributes))}
    projection = {"ProjectionExpression": ", ".join(aliases), "ExpressionAttributeNames": aliases} if attributes else {}
    for start in range(0, len(ids), BATCH):
        request: Any = {
            name: {
                "Keys": [{"id": {"S": identity}} for identity in ids[start : start + BATCH]],
                "ConsistentRead": True,
                **projection,
            }
        }
        for pause_s in generate_pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S):
            answer = client.batch_get_item(RequestItems=request)
            yield from map(_plain, answer["Responses"].get(name, []))
            if not (request := answer.get("UnprocessedKeys")):
                break
            time.sleep(pause_s)


def _plain(item: Mapping[str, Any]) -> Record:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}
