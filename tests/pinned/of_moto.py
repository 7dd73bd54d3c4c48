"""Of the bundled moto: ECR's repositories and images, DynamoDB's transactions."""

import copy
import inspect
import json
import time

import boto3

from local_aws.extension import dynamodb_additions, internals, transaction_snapshots

ACCOUNT, REGION = "0" * 12, "us-west-2"


def _repository(name):
    from moto.ecr import models

    return models.ecr_backends[ACCOUNT][REGION].create_repository(
        repository_name=name,
        registry_id=None,
        encryption_config=None,
        image_scan_config=None,
        image_tag_mutability="IMMUTABLE",
        tags=[],
    )


def repository_uris():
    """A repository gets `name` and an amazonaws.com `uri` when it is made; after the patch, the local registry's."""
    from local_aws.extension import registry

    assert _repository("stock").uri.endswith("amazonaws.com/stock")
    internals.repository_uris()
    assert _repository("ours").uri == f"{registry.HOST}/ours"


def image_sizes():
    """An image's size is its config's alone; after the patch it is the sum of all blobs, wherever it is asked for."""
    image = _image({"config": {"size": 2}, "layers": [{"size": 30}, {"size": 400}]})
    assert image.image_size_in_bytes == 2
    internals.image_sizes()
    assert image.get_image_size_in_bytes() == image.image_size_in_bytes == 432


def _image(manifest):
    from moto.ecr import models

    return models.Image(ACCOUNT, None, json.dumps(manifest), "name", "type", "sha256:digest")


def registry_images():
    """Repositories lie by account, region and name; their images, tags and rules are plain fields."""
    from moto.ecr import models

    created = _repository("fields")
    assert models.ecr_backends[ACCOUNT][REGION].repositories["fields"] is created
    assert [(created.images, created.image_tag_mutability_exclusion_filters)] == [([], None)]
    assert created.is_tag_immutable() is True
    image = _image({})
    assert (image.get_image_digest(), image.image_tags, image.image_tag) == ("sha256:digest", [], None)
    assert image.image_manifest_media_type == "type"
    image.image_tags, image.image_tag, image.image_pushed_at = ["a", "b"], "b", "2026-01-02T03:04:05"
    assert image.image_id == {"imageTag": "b", "imageDigest": "sha256:digest"}


def thrifty_transactions():
    """A transaction deep-copies each of its tables; after the patch it copies only what it names, and undoes that."""
    from moto import mock_aws
    from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
    from moto.dynamodb.models.dynamo_type import DynamoType

    assert list(inspect.signature(DynamoDBBackend.transact_write_items).parameters) == ["self", "transact_items"]
    with mock_aws():
        dynamodb = _table()
        table = dynamodb_backends["123456789012"][REGION].tables["table"]
        named, other = DynamoType({"S": "named"}), DynamoType({"S": "other"})
        kept = table.items[other]
        assert not hasattr(type(table), "__deepcopy__")
        assert copy.deepcopy(table).items[other] is not kept
        internals.thrifty_transactions()
        assert copy.deepcopy(table).items[other] is not kept
        copies = _record(type(table))
        put = {"Put": {"TableName": "table", "Item": {"pk": {"S": "named"}, "value": {"S": "new"}}}}
        check = {"TableName": "table", "Key": {"pk": {"S": "other"}}, "ConditionExpression": "attribute_exists(#no)"}
        check["ExpressionAttributeNames"] = {"#no": "value"}
        for writes, attributes in ([put, {"ConditionCheck": check}], {"pk"}), ([put], {"pk", "value"}):
            try:
                dynamodb.transact_write_items(TransactItems=writes)
            except dynamodb.exceptions.TransactionCanceledException:
                assert len(writes) == 2
            assert table.items[named].attrs.keys() == attributes
        assert copies == [table] * 3
        assert dynamodb_backends["123456789012"][REGION].tables["table"] is table
        assert table.items[other] is kept
        assert transaction_snapshots.in_transaction.get() is False


def expired_items():
    """A table keeps an expired item although it takes the setting; a sweep deletes it, and no other item."""
    from moto import mock_aws
    from moto.dynamodb.models import dynamodb_backends

    with mock_aws():
        dynamodb = _table()
        dynamodb.put_item(TableName="table", Item={"pk": {"S": "over"}, "at": {"N": str(int(time.time()) - 9)}})
        live = {"Enabled": True, "AttributeName": "at"}
        dynamodb.update_time_to_live(TableName="table", TimeToLiveSpecification=live)
        table = dynamodb_backends["123456789012"][REGION].tables["table"]
        assert (len(table.all_items()), dynamodb.scan(TableName="table")["Count"]) == (3, 3)
        dynamodb_additions.sweep(None, None)
        assert [item.hash_key.value for item in table.all_items()] == ["named", "other"]


def tables_of_other_accounts():
    """A table is not found by its ARN from another account; after the patch it is."""
    from moto import mock_aws
    from moto.dynamodb.exceptions import ResourceNotFoundException
    from moto.dynamodb.models import dynamodb_backends

    with mock_aws():
        dynamodb = _table()
        arn = dynamodb.describe_table(TableName="table")["Table"]["TableArn"]
        backend = dynamodb_backends["210987654321"][REGION]
        try:
            backend.get_table(arn)
            raise AssertionError("found")
        except ResourceNotFoundException:
            dynamodb_additions.install()
        assert backend.get_table(arn).name == "table"


def _table():
    dynamodb = boto3.client("dynamodb", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    dynamodb.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    for key in ("named", "other"):
        dynamodb.put_item(TableName="table", Item={"pk": {"S": key}})
    return dynamodb


def _record(table):
    copies, original = [], table.__deepcopy__

    def copy_table(self, memo):
        copies.append(original(self, memo))
        return copies[-1]

    table.__deepcopy__ = copy_table
    return copies


def moto_service():
    """A skeleton takes a dictionary of handlers by operation, and moto is called with the request's context alone."""
    from localstack.aws.skeleton import Skeleton
    from localstack.aws.spec import load_service
    from localstack.services.moto import call_moto
    from localstack.services.plugins import Service

    model, handlers = load_service("dynamodb"), {"PutItem": print}
    assert "TransactWriteItems" in model.operation_names
    skeleton = Skeleton(model, handlers)
    assert skeleton.dispatch_table is handlers
    first, *more = inspect.signature(call_moto).parameters.values()
    assert first.name == "context"
    assert all(one.default is not one.empty for one in more)
    assert Service(name="dynamodb", skeleton=skeleton).name() == "dynamodb"
