"""Tables as Amplify creates them for the original's models: names with its suffix, and its indexes."""

from dataclasses import replace
from typing import Any

from scripts.aws.clients import Aws
from stages import Stage

API = "t4blesdq5zhbz-NONE"
BUCKET = "original-score-result-attachments"
# model → index → the attributes of its key; several sort keys are one attribute, joined by `#`
INDEXES: dict[str, dict[str, tuple[str, ...]]] = {
    "Account": {"accountsByKey": ("key",)},
    "Item": {
        "itemsByAccountIdAndUpdatedAt": ("accountId", "updatedAt"),
        "byAccountAndExternalId": ("accountId", "externalId"),
    },
    "Scorecard": {"scorecardsByKey": ("key",), "byAccountIdAndExternalId": ("accountId", "externalId")},
    "Score": {"scoresByKey": ("key",), "byScorecardIdAndExternalId": ("scorecardId", "externalId")},
    "ScoreVersion": {"scoreVersionsByScoreIdAndCreatedAt": ("scoreId", "createdAt")},
    "ScoringJob": {
        "byAccountAndCreatedAt": ("accountId", "createdAt"),
        "byItemScore": ("itemId", "scoreId"),
    },
    "ScoreResult": {
        "scoreResultsByScoringJobId": ("scoringJobId",),
        "scoreResultsByScorecardIdAndUpdatedAt": ("scorecardId", "updatedAt"),
        "byScorecardScoreItem": ("scorecardId", "scoreId#itemId"),
        "byItemIdAndTypeAndScoreIdAndUpdatedAt": ("itemId", "type#scoreId#updatedAt"),
    },
}


def with_amplify(stage: Stage, api: str = API) -> Stage:
    """Return the stage with its records in Amplify's tables."""
    return replace(stage, tables=replace(stage.tables, amplify=api, attachments=BUCKET))


def create(aws: Aws) -> None:
    """Create the tables and the bucket of attachments."""
    for model, indexes in INDEXES.items():
        attributes = sorted({"id", *(name for key in indexes.values() for name in key)})
        aws.client("dynamodb").create_table(
            TableName=f"{model}-{API}",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
            KeySchema=_key(("id",)),
            GlobalSecondaryIndexes=[
                {"IndexName": name, "KeySchema": _key(key), "Projection": {"ProjectionType": "ALL"}}
                for name, key in indexes.items()
            ],
        )
    location: Any = {"LocationConstraint": aws.stage.region}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)


def _key(names: tuple[str, ...]) -> Any:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]
