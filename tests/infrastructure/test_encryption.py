"""The account's own key is a setting of the stage: with it, every text at rest is encrypted with it."""

import dataclasses
import json

import pytest

import stages
from infrastructure import security
from infrastructure.node import use_wheel_node
from infrastructure.pipelines import permissions
from tests.infrastructure.templates import NOUNS, Template, read_template, resources, statements

KEY = "arn:aws:kms:us-west-2:000000000000:key/0b7e6c0a-0000-0000-0000-000000000000"


def synthesize(stage: str, key: str) -> dict[str, Template]:
    """Return the templates of a stage with this key, by the stack's noun."""
    use_wheel_node()
    from aws_cdk import App
    from aws_cdk.assertions import Template as Synthesized

    from infrastructure.stacks import STACKS

    app = App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
    built = [stack(app, dataclasses.replace(stages.load(stage), encryption_key=key)) for stack in STACKS]
    return {stack.noun: dict(Synthesized.from_stack(stack).to_json()) for stack in built}


def test_every_text_at_rest_has_the_accounts_key(stage: str) -> None:
    """Tables, queues, bucket, log and environment name the key, and the role may use it and no other."""
    templates = synthesize(stage, KEY)
    for table in resources(templates["tables"], "AWS::DynamoDB::Table").values():
        assert table["SSESpecification"] == {"KMSMasterKeyId": KEY, "SSEEnabled": True, "SSEType": "KMS"}
    for queue in resources(templates["queues"], "AWS::SQS::Queue").values():
        assert queue["KmsMasterKeyId"] == KEY
        assert "SqsManagedSseEnabled" not in queue
    (bucket,) = resources(templates["tables"], "AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"}
    assert resources(templates["function"], "AWS::Logs::LogGroup")["LogGroup"]["KmsKeyId"] == KEY
    assert resources(templates["function"], "AWS::Lambda::Function")["Function"]["KmsKeyArn"] == KEY
    (used,) = [one for one in statements(templates["function"]) if one["Sid"] == "UseKey"]
    assert (used["Action"], used["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], KEY)


def test_without_it_nothing_names_a_key(stage: str) -> None:
    """The committed templates have no key, and the key replaces no resource."""
    for noun in NOUNS:
        template = read_template(stage, noun)
        assert "kms" not in json.dumps(template).lower()
        assert synthesize(stage, KEY)[noun]["Resources"].keys() == template["Resources"].keys()


@pytest.mark.parametrize("step", ["read", "shape", "deploy"])
def test_a_pipeline_may_use_the_key_that_its_stage_has(step: str) -> None:
    """A step reads the encrypted ledger; a stage without a key has no such permission."""
    settings = stages.load("production")
    keyed = dataclasses.replace(settings, encryption_key=KEY)
    with_key, without = (
        [statement.to_statement_json() for statement in permissions.statements(step, one)] for one in (keyed, settings)
    )
    assert {"Action": ["kms:Decrypt", "kms:DescribeKey"], "Effect": "Allow", "Resource": KEY} in with_key
    assert "kms:" not in json.dumps(without)


def test_every_finding_of_a_stage_with_a_key_is_accepted(stage: str) -> None:
    """The rule packs find nothing more."""
    keyed = dataclasses.replace(stages.load(stage), encryption_key=KEY)
    assert security.violations(keyed) <= set(security.accepted_violations(keyed))
