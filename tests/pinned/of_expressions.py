"""Of the bundled moto: DynamoDB's expressions, and the items that they are done to."""

import contextlib
import copy
import functools
from collections import Counter

import boto3
from botocore.exceptions import ClientError

from local_aws.extension import internals

NAMES = {"#s": "status", "#owner": "owner"}
VALUES = {
    ":new": {"S": "new"},
    ":old": {"S": "old"},
    ":one": {"N": "1"},
    ":list": {"L": [{"S": "x"}]},
    ":set": {"SS": ["x"]},
    ":large": {"S": "x" * 405_000},
}
ITEM = {
    "a": {"M": {"b": {"L": [{"S": "x"}, {"B": b"y"}]}}},
    "d": {"NULL": True},
    "l": {"L": [{"BOOL": True}]},
    "n": {"N": "1"},
    "s": {"SS": ["x", "y"]},
    "status": {"S": "old"},
}
CLAIM = "attribute_exists(pk) AND (#s = :old OR (#s = :new AND (NOT attribute_exists(u) OR u < :one)))"
UPDATES = [
    ("SET #s = :new, #owner = :new ADD attempts :one", CLAIM),
    ("SET #s = :new, #owner = :new ADD attempts :one", CLAIM),
    ("SET a.b[1] = :one, l = list_append(l, :list), c = if_not_exists(c, :one) + :one REMOVE a.b[0], d", ""),
    ("SET l = list_append(l, :list)", ""),
    ("SET l = list_append(l, :list)", ""),
    ("SET a = :one, a = :one", ""),
    ("SET a.b = :one, a.b.c = :one", ""),
    ("SET a = :one SET b = :one", ""),
    ("SET a = :none", ""),
    ("SET a = b", ""),
    ("SET a.no.b = :one", ""),
    ("SET pk = :one", ""),
    ("SET status = :one", ""),
    ("SET a", ""),
    ("SET a = :large", ""),
    ("ADD n :one DELETE s :set", ""),
    ("ADD l :one", ""),
    ("SET a = :one", "n BETWEEN :one AND :one OR begins_with(pk, :new)"),
    ("SET a = :one", "size(l) IN (:one, :one) AND contains(s, :new)"),
    ("SET a = :one", "status = :one"),
    ("SET a = :one", "#s = :old"),
    ("SET a = :one", "#s = :new"),
]


def quick_dynamodb():
    """moto parses and measures again and again for one update; after the patch it does not, and all ends the same."""
    from moto.core import responses
    from moto.dynamodb.comparisons import ConditionExpressionParser
    from moto.dynamodb.models.dynamo_type import LimitedSizeDict
    from moto.dynamodb.parsing import ast_nodes
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser

    slow = [
        (UpdateExpressionParser, "parse"),
        (ConditionExpressionParser, "_lex_one_node"),
        (ast_nodes.DepthFirstTraverser, "nodes_to_be_processed"),
        (LimitedSizeDict, "__setitem__"),
    ]
    names = responses.method_names_from_class(responses.BaseResponse)
    stock, before = _ends(slow)
    internals.quick_dynamodb()
    ours, after = _ends(slow)
    assert [pair for pair in zip(stock, ours, strict=True) if pair[0] != pair[1]] == []
    assert {code for code, *_ in stock} > {"", "ValidationException", "ConditionalCheckFailedException"}
    assert all(after[name] < before[name] / 2 for _, name in slow), (before, after)
    assert responses.method_names_from_class(responses.BaseResponse) == names
    _items()


def _items():
    """Items are as large as moto allows, and copies share nothing that can change."""
    from moto.dynamodb.exceptions import ItemSizeTooLarge
    from moto.dynamodb.models.dynamo_type import DynamoType, Item
    from moto.dynamodb.models.utilities import bytesize

    key = DynamoType({"S": "a"})
    item = Item(key, None, ITEM)
    new = copy.deepcopy(item)
    assert new == item
    assert new.attrs["a"].value["b"].value[0] is not item.attrs["a"].value["b"].value[0]
    assert bytesize("é") == 2
    for size in (404_997, 404_998):
        try:
            Item(key, None, {"pk": {"S": "x" * size}, "n": {"N": ""}})
        except ItemSizeTooLarge:
            assert size == 404_998
        else:
            assert size == 404_997


def _ends(slow):
    """What each update answers and leaves, by itself and in a transaction, and how often the slow parts ran."""
    from moto import mock_aws

    counts = Counter()
    with mock_aws(), contextlib.ExitStack() as stack:
        for kind, name in slow:
            stack.callback(setattr, kind, name, getattr(kind, name))
            setattr(kind, name, _count_calls(counts, name, getattr(kind, name)))
        dynamodb = boto3.client("dynamodb", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="a")
        dynamodb.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        return [end for number, update in enumerate(UPDATES) for end in _end(dynamodb, number, *update)], counts


def _count_calls(counts, name, original):
    @functools.wraps(original)
    def counting(*arguments):
        counts[name] += 1
        return original(*arguments)

    return counting


def _end(dynamodb, number, update, condition):
    """(error code or "", message, item afterwards) of one update, made in both ways."""
    request = {"TableName": "table", "UpdateExpression": update}
    if condition:
        request["ConditionExpression"] = condition
    for what, defined in ("Names", NAMES), ("Values", VALUES):
        if used := {name: meaning for name, meaning in defined.items() if name in f"{update} {condition}"}:
            request[f"ExpressionAttribute{what}"] = used
    for way in ("alone", "together"):
        request["Key"] = {"pk": {"S": f"{way}-{number}"}}
        dynamodb.put_item(TableName="table", Item={**request["Key"], **ITEM})
        try:
            if way == "alone":
                dynamodb.update_item(**request, ReturnValues="ALL_NEW")
            else:
                dynamodb.transact_write_items(TransactItems=[{"Update": request}])
            error = {"Code": "", "Message": ""}
        except ClientError as refused:
            error = refused.response["Error"]
        except Exception as broken:  # moto's own errors in Python
            error = {"Code": type(broken).__name__, "Message": str(broken)}
        yield error["Code"], error["Message"], dynamodb.get_item(TableName="table", Key=request["Key"]).get("Item")
