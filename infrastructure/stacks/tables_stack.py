"""What the worker remembers: DynamoDB tables, and the bucket for what is too large for them."""

from dataclasses import dataclass

from aws_cdk import Duration, aws_dynamodb as dynamodb, aws_s3 as s3
from constructs import Construct

from infrastructure.settings import Settings
from infrastructure.stacks.base import StageStack


@dataclass(frozen=True)
class Index:
    """A global secondary index with all attributes projected."""

    name: str
    partition: str
    sort: str | None = None


TABLES: dict[str, tuple[Index, ...]] = {
    "Account": (Index("byKey", "key"),),
    "Item": (),
    "Scorecard": (Index("byKey", "key"),),
    "Score": (Index("byScorecard", "scorecardId"),),
    "ScoreVersion": (),
    "ScoringJob": (),
    "ScoreResult": (Index("byScoringJob", "scoringJobId"), Index("byItem", "itemId", "typeScoreUpdatedAt")),
    "Outbox": (),
}
"""Each table's name without the stage's prefix → its indexes. Every table has the string key `id`."""


class TablesStack(StageStack):
    """All tables, paid per request and encrypted with DynamoDB's own key, and the artifact bucket."""

    noun = "tables"

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, settings)
        for name, indexes in TABLES.items():
            self._add_table(name, indexes)
        self._add_bucket()

    def _add_table(self, name: str, indexes: tuple[Index, ...]) -> None:
        protection = self.settings.tables
        table = dynamodb.Table(
            self, f"{name}Table",
            table_name=f"{protection.prefix}{name}",
            partition_key=_string("id"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True) if protection.point_in_time_recovery else None,
            deletion_protection=protection.deletion_protection or None,
            removal_policy=self.removal_policy,
        )
        for index in indexes:
            table.add_global_secondary_index(
                index_name=index.name, partition_key=_string(index.partition),
                sort_key=_string(index.sort) if index.sort else None)

    def _add_bucket(self) -> None:
        """Artifacts are named by digest and never change, so old versions are only kept against mistakes."""
        s3.Bucket(
            self, "ArtifactBucket",
            bucket_name=self.settings.bucket,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[s3.LifecycleRule(
                id="forget-replaced-versions", noncurrent_version_expiration=Duration.days(30),
                abort_incomplete_multipart_upload_after=Duration.days(1))],
            removal_policy=self.removal_policy,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
