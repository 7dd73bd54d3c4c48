"""Drift of the stacks' tables: keys and indexes, without which records are not found, and how requests are billed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..aws import resources
from ..aws.clients import Aws
from .difference import Difference

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

KEY, BILLING = "key", "billing"


def compare_tables(aws: Aws) -> Iterator[Difference]:
    """Yield differences of the existing tables' keys, indexes and billing from the templates."""
    client = aws.client("dynamodb")
    for template in resources.read_templates(aws.stage.name):
        for resource in template.document["Resources"].values():
            if resource["Type"] != "AWS::DynamoDB::Table":
                continue
            name = resource["Properties"]["TableName"]
            try:
                table = client.describe_table(TableName=name)["Table"]
            except client.exceptions.ResourceNotFoundException:
                continue
            expected, actual = _read_keys(resource["Properties"]), _read_keys(table)
            # A provisioned table throttles: its capacity is what somebody typed in.
            expected[BILLING] = resource["Properties"]["BillingMode"]
            actual[BILLING] = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
            for setting, wanted in expected.items():
                if actual.get(setting) != wanted:
                    yield Difference(f"table {name}", setting, wanted, actual.get(setting, "absent"))


def _read_keys(table: dict[str, Any] | TableDescriptionTypeDef) -> dict[str, str]:
    """Return the key attributes of a table, and of each of its indexes by name."""
    indexes = table.get("GlobalSecondaryIndexes") or []
    named = {f"index {entry['IndexName']}": _name_attributes(entry["KeySchema"]) for entry in indexes}
    return {KEY: _name_attributes(table["KeySchema"]), **named}


def _name_attributes(schema: Sequence[Any]) -> str:
    """Return the names of a key's attributes, the partition key first."""
    return ", ".join(entry["AttributeName"] for entry in sorted(schema, key=lambda entry: str(entry["KeyType"])))
