import dataclasses
import json

import pytest

import stages
from infrastructure.node import use_wheel_node
from tests.infrastructure.templates import Template, read_template, resources

KEYS = {
    "Account": (["id"], {"byKey": ["key"]}),
    "Item": (["id"], {}),
    "Scorecard": (["id"], {"byKey": ["key"]}),
    "Score": (["id"], {"byScorecard": ["scorecardId"]}),
    "ScoreVersion": (["id"], {}),
    "ScoringJob": (["id"], {}),
    "ScoreResult": (
        ["id"],
        {
            "byScoringJob": ["scoringJobId"],
            "byItem": ["itemId", "typeScoreUpdatedAt"],
            "byScorecard": ["scorecardId", "createdAt"],
        },
    ),
    "Outbox": (["id"], {}),
    "Deployment": (["function", "at"], {}),
}


def test_every_table_of_the_worker_is_there_with_its_keys(stage: str) -> None:
    """The tables and indexes are those that the worker and the deploys read and write, under the stage's prefix."""
    prefix = stages.load(stage).tables.prefix
    tables = resources(read_template(stage, "tables"), "AWS::DynamoDB::Table").values()
    assert {
        table["TableName"].removeprefix(prefix): (
            [key["AttributeName"] for key in table["KeySchema"]],
            {
                index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
                for index in table.get("GlobalSecondaryIndexes", [])
            },
        )
        for table in tables
    } == KEYS


def test_tables_are_paid_per_request(stage: str) -> None:
    """No table has provisioned capacity."""
    for table in resources(read_template(stage, "tables"), "AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert "ProvisionedThroughput" not in table


def test_production_can_be_restored_and_not_deleted_by_mistake() -> None:
    """Production's tables have point-in-time recovery and deletion protection, and outlive their stack."""
    template = read_template("production", "tables")
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["DeletionProtectionEnabled"] is True
        assert template["Resources"][name]["DeletionPolicy"] == "Retain"
        assert template["Resources"][name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("noun", ["tables", "queues", "function", "repositories"])
def test_the_local_stage_leaves_nothing_behind(noun: str) -> None:
    """Deleting a local stack deletes its resources."""
    for name, resource in read_template("local", noun)["Resources"].items():
        assert resource.get("DeletionPolicy", "Delete") == "Delete", name


def test_the_artifact_bucket_is_private(stage: str) -> None:
    """The artifact bucket is encrypted, versioned and not public, and denies requests without TLS."""
    template = read_template(stage, "tables")
    (bucket,) = resources(template, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (policy,) = resources(template, "AWS::S3::BucketPolicy").values()
    assert {s["Effect"] for s in policy["PolicyDocument"]["Statement"]} == {"Deny"}


def test_the_account_of_the_next_stage_may_query_the_ledger_and_nothing_else() -> None:
    """With `release.reader`, the ledger of staging has a policy for that account; no table of a stage without one."""
    settings = stages.load("staging")
    release = dataclasses.replace(settings.release, reader="222222222222")
    tables = resources(synthesize_tables(dataclasses.replace(settings, release=release)), "AWS::DynamoDB::Table")
    policies = {name: table["ResourcePolicy"] for name, table in tables.items() if "ResourcePolicy" in table}
    assert list(policies) == ["DeploymentTable"]
    (statement,) = policies["DeploymentTable"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "dynamodb:Query"
    assert "222222222222" in json.dumps(statement["Principal"])
    assert "ResourcePolicy" not in json.dumps(read_template("staging", "tables"))


def test_jobs_and_results_expire_only_if_the_stage_sets_a_period() -> None:
    """With a period, jobs and results have a time to live, and their objects expire after the records."""
    settings = stages.load("production")
    expiring = dataclasses.replace(settings, tables=dataclasses.replace(settings.tables, expire_after_days=90))
    template = synthesize_tables(expiring)
    lives = {
        table["TableName"]: table["TimeToLiveSpecification"]
        for table in resources(template, "AWS::DynamoDB::Table").values()
        if "TimeToLiveSpecification" in table
    }
    live = {"AttributeName": "expiresAt", "Enabled": True}
    assert lives == {"production-ScoringJob": live, "production-ScoreResult": live}
    (bucket,) = resources(template, "AWS::S3::Bucket").values()
    rules = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules == {None: None, "results/": 93}
    assert "TimeToLive" not in json.dumps(read_template("production", "tables"))


def test_amplifys_tables_are_not_the_stages() -> None:
    """With `tables.amplify` the stack has the outbox and the ledger only, and the role names Amplify's tables."""
    settings = stages.load("staging")
    tables = dataclasses.replace(settings.tables, amplify="abc-NONE", attachments="original-attachments")
    settings = dataclasses.replace(settings, tables=tables)
    created = resources(synthesize_tables(settings), "AWS::DynamoDB::Table").values()
    assert {table["TableName"] for table in created} == {"staging-Outbox", "staging-Deployment"}
    from aws_cdk import App, Stack

    from infrastructure.stacks.policy import worker_policy

    policy = json.dumps(Stack(App()).resolve(worker_policy(settings)))
    for wanted in (
        "table/ScoringJob-abc-NONE",
        "table/Account-abc-NONE/index/accountsByKey",
        "table/Score-abc-NONE/index/byScorecardIdAndExternalId",
        "table/staging-Outbox",
        "original-attachments/scoreresults/*",
    ):
        assert wanted in policy
    assert "staging-ScoringJob" not in policy


def synthesize_tables(settings: stages.Stage) -> Template:
    """Return the template of a stage's tables."""
    use_wheel_node()
    from aws_cdk import App
    from aws_cdk.assertions import Template as Synthesized

    from infrastructure.stacks.tables_stack import TablesStack

    app = App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
    return dict(Synthesized.from_stack(TablesStack(app, settings)).to_json())
