"""DynamoDB, as the worker uses it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.conftest import REGION, Clients, refusal

TABLE = "dynamodb-rules"
NEW = "attribute_not_exists(pk)"


@pytest.fixture(scope="module")
def table(aws: Clients) -> Iterator[Any]:
    """A client whose table TABLE has a key `pk` and an index `byGroup`."""
    client = aws("dynamodb")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "group")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "byGroup",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    yield client
    client.delete_table(TableName=TABLE)


def item(key: str, **more: str) -> dict[str, Any]:
    """Return an item of strings in DynamoDB's form."""
    return {"pk": {"S": key}, **{name: {"S": value} for name, value in more.items()}}


def test_conditional_put_refuses_an_existing_item(table: Any) -> None:
    """A put under attribute_not_exists fails when the key is taken."""
    table.put_item(TableName=TABLE, Item=item("taken"))
    assert "ConditionalCheckFailed" in refusal(
        table.put_item, TableName=TABLE, Item=item("taken"), ConditionExpression=NEW
    )


def test_one_of_many_concurrent_conditional_puts_wins(table: Any) -> None:
    """Exactly one of a hundred concurrent conditional puts of one key succeeds."""

    def put(number: int) -> bool:
        try:
            table.put_item(TableName=TABLE, Item=item("race", by=str(number)), ConditionExpression=NEW)
        except table.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(put, range(100))) == 1


def test_index_is_queried_by_its_key(table: Any) -> None:
    """A global secondary index finds the items of its key."""
    table.put_item(TableName=TABLE, Item=item("indexed", group="red"))
    response = table.query(
        TableName=TABLE,
        IndexName="byGroup",
        KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": "red"}},
    )
    assert [entry["pk"]["S"] for entry in response["Items"]] == ["indexed"]


def test_transaction_writes_all_or_nothing(table: Any) -> None:
    """A transaction with one failing condition writes none of its items and says which failed."""
    table.put_item(TableName=TABLE, Item=item("there"))
    puts = [
        {"Put": {"TableName": TABLE, "Item": item("fresh"), "ConditionExpression": NEW}},
        {"Put": {"TableName": TABLE, "Item": item("there"), "ConditionExpression": NEW}},
    ]
    with pytest.raises(table.exceptions.TransactionCanceledException) as caught:
        table.transact_write_items(TransactItems=puts)
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table.get_item(TableName=TABLE, Key=item("fresh"))


def test_batch_get_returns_what_is_there(table: Any) -> None:
    """A batch read returns the existing items of its keys."""
    table.put_item(TableName=TABLE, Item=item("one"))
    table.put_item(TableName=TABLE, Item=item("two"))
    got = table.batch_get_item(RequestItems={TABLE: {"Keys": [item("one"), item("two"), item("none")]}})
    assert sorted(entry["pk"]["S"] for entry in got["Responses"][TABLE]) == ["one", "two"]


def test_update_counts_atomically(table: Any) -> None:
    """Concurrent ADD updates of one number lose none."""

    def add(_: int) -> None:
        table.update_item(
            TableName=TABLE,
            Key=item("counter"),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(add, range(50)))
    assert table.get_item(TableName=TABLE, Key=item("counter"))["Item"]["n"]["N"] == "50"


def test_a_cancelled_transaction_undoes_what_it_had_written(table: Any) -> None:
    """A cancelled transaction restores the items that it wrote, and does not touch any other item."""
    table.put_item(TableName=TABLE, Item=item("undone", value="old"))
    table.put_item(TableName=TABLE, Item=item("beside", value="new"))
    change = {
        "UpdateExpression": "SET #v = :v",
        "ExpressionAttributeNames": {"#v": "value"},
        "ExpressionAttributeValues": {":v": {"S": "changed"}},
    }
    writes = [
        {"Update": {"TableName": TABLE, "Key": item("undone"), **change}},
        {"Put": {"TableName": TABLE, "Item": item("never")}},
        {"ConditionCheck": {"TableName": TABLE, "Key": item("beside"), "ConditionExpression": NEW}},
    ]
    assert "TransactionCanceled" in refusal(table.transact_write_items, TransactItems=writes)
    items = {key: table.get_item(TableName=TABLE, Key=item(key)).get("Item") for key in ("undone", "never", "beside")}
    assert items == {"undone": item("undone", value="old"), "never": None, "beside": item("beside", value="new")}


def test_a_transaction_changes_all_that_it_names(table: Any) -> None:
    """After a transaction that was taken every item of it has its new state."""
    table.put_item(TableName=TABLE, Item=item("replaced", value="old"))
    table.put_item(TableName=TABLE, Item=item("removed"))
    writes = [
        {"Put": {"TableName": TABLE, "Item": item("replaced", value="new")}},
        {"Delete": {"TableName": TABLE, "Key": item("removed")}},
    ]
    table.transact_write_items(TransactItems=writes)
    items = {key: table.get_item(TableName=TABLE, Key=item(key)).get("Item") for key in ("replaced", "removed")}
    assert items == {"replaced": item("replaced", value="new"), "removed": None}


def test_a_condition_seen_before_is_judged_anew(table: Any) -> None:
    """An update expression that was seen before is evaluated with the new values and the new item."""

    def update(key: str, old: str, new: str) -> None:
        table.update_item(
            TableName=TABLE,
            Key=item(key),
            UpdateExpression="SET #v = :new REMOVE gone ADD n :one",
            ConditionExpression="#v = :old",
            ExpressionAttributeNames={"#v": "value"},
            ExpressionAttributeValues={":old": {"S": old}, ":new": {"S": new}, ":one": {"N": "1"}},
        )

    for key in ("red", "blue"):
        table.put_item(TableName=TABLE, Item=item(key, value=key, gone="soon"))
    update("red", "red", "rose")
    assert "ConditionalCheckFailed" in refusal(update, key="red", old="red", new="rose")
    update("red", "rose", "pink")
    update("blue", "blue", "rose")
    items = {key: table.get_item(TableName=TABLE, Key=item(key))["Item"] for key in ("red", "blue")}
    assert items == {
        "red": item("red", value="pink") | {"n": {"N": "2"}},
        "blue": item("blue", value="rose") | {"n": {"N": "1"}},
    }


def test_a_sweep_deletes_what_has_expired(table: Any, local_aws: Instance) -> None:
    """A sweep deletes the items whose time to live is over, and none of a table that has the setting no longer."""
    now = int(time.time())
    times = {"over": now - 60, "later": now + 600, "six years ago": now - 6 * 365 * 86400}
    for key, at in times.items():
        table.put_item(TableName=TABLE, Item=item(key) | {"expiresAt": {"N": str(at)}})
    table.put_item(TableName=TABLE, Item=item("no number", expiresAt=str(now - 60)))

    def swept(enabled: bool) -> set[str]:
        setting = {"Enabled": enabled, "AttributeName": "expiresAt"}
        table.update_time_to_live(TableName=TABLE, TimeToLiveSpecification=setting)
        ask(local_aws, "/_local_aws/time-to-live", {})
        entries = table.scan(TableName=TABLE, FilterExpression="attribute_exists(expiresAt)")["Items"]
        return {entry["pk"]["S"] for entry in entries}

    assert swept(enabled=False) == {*times, "no number"}
    assert swept(enabled=True) == {"later", "six years ago", "no number"}


def test_a_table_is_read_by_its_arn_from_another_account(table: Any, local_aws: Instance) -> None:
    """Another account finds a table by its ARN, and not by its name."""
    table.put_item(TableName=TABLE, Item=item("shared"))
    other = boto3.client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=local_aws.endpoint,
        aws_access_key_id="2" * 12,
        aws_secret_access_key="test",
    )
    arn = table.describe_table(TableName=TABLE)["Table"]["TableArn"]
    assert other.get_item(TableName=arn, Key=item("shared"))["Item"] == item("shared")
    assert refusal(other.get_item, TableName=TABLE, Key=item("shared")).startswith("ResourceNotFound")
