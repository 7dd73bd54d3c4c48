"""The DynamoDB tables, and the bucket for artifacts and for values that are too large for a record."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.stacks import arns
from infrastructure.stacks.base import StageStack
from stages import Stage, limits


@dataclass(frozen=True)
class Index:
    """A global secondary index; `attributes` are projected beside the keys, None is all of them."""

    name: str
    partition: str
    sort: str | None = None
    attributes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A table, named without the stage's prefix. All keys are strings.

    DynamoDB deletes records of a table that `expires` by their attribute `expiresAt`, if the stage sets a duration.
    """

    name: str
    indexes: tuple[Index, ...] = ()
    partition: str = "id"
    sort: str | None = None
    expires: bool = False


LEDGER = "Deployment"
LATE_DAYS = 3  # after its time DynamoDB takes a few days to delete a record, which may point to an object
TABLES = (
    Table("Account", (Index("byKey", "key"),)),
    Table("Item"),
    Table("Scorecard", (Index("byKey", "key"),)),
    Table("Score", (Index("byScorecard", "scorecardId"),)),
    Table("ScoreVersion"),
    Table("ScoringJob", expires=True),
    Table(
        "ScoreResult",
        (
            Index("byScoringJob", "scoringJobId"),
            Index("byItem", "itemId", "typeScoreUpdatedAt"),
            # Of `make results`: a write unit for each result, where all attributes would take several.
            Index("byScorecard", "scorecardId", "createdAt", ("scoreId",)),
        ),
        expires=True,
    ),
    Table("Outbox"),
    # The ledger of deploys, which the worker does not use.
    Table(LEDGER, partition="function", sort="at"),
)


class TablesStack(StageStack):
    """All tables, billed per request and encrypted with DynamoDB's or the account's key, and the artifact bucket."""

    noun = "tables"

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        for table in TABLES:
            if not settings.is_foreign(table.name):
                self._add_table(table)
        self._add_bucket()

    def _add_table(self, table: Table) -> None:
        protection = self.settings.tables
        resource = dynamodb.Table(
            self,
            f"{table.name}Table",
            table_name=f"{protection.prefix}{table.name}",
            partition_key=_string(table.partition),
            sort_key=_string(table.sort) if table.sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if self.key else None,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            )
            if protection.point_in_time_recovery
            else None,
            deletion_protection=protection.deletion_protection or None,
            time_to_live_attribute=limits.EXPIRES if table.expires and protection.expire_after_days else None,
            removal_policy=self.removal_policy,
        )
        if table.name == LEDGER and (reader := self.settings.release.reader):
            resource.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="NextStage",
                    principals=[iam.AccountPrincipal(reader)],
                    actions=["dynamodb:Query"],
                    resources=[arns.table(f"{protection.prefix}{table.name}")],
                )
            )
        for index in table.indexes:
            resource.add_global_secondary_index(
                index_name=index.name,
                partition_key=_string(index.partition),
                sort_key=_string(index.sort) if index.sort else None,
                projection_type=dynamodb.ProjectionType.ALL
                if index.attributes is None
                else dynamodb.ProjectionType.INCLUDE,
                non_key_attributes=None if index.attributes is None else list(index.attributes),
            )

    def _add_bucket(self) -> None:
        """Add the bucket. Artifacts are named by digest and never change: old versions only guard against mistakes."""
        days = self.settings.tables.expire_after_days
        s3.Bucket(
            self,
            "ArtifactBucket",
            bucket_name=self.settings.bucket,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            bucket_key_enabled=True if self.key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="forget-replaced-versions",
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
                # The large fields of results, which are stored at the same time as their records.
                *(
                    [
                        s3.LifecycleRule(
                            id="expire-results", prefix="results/", expiration=Duration.days(days + LATE_DAYS)
                        )
                    ]
                    if days
                    else []
                ),
            ],
            removal_policy=self.removal_policy,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
