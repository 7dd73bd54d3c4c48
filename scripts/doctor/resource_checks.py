"""Checks of the stacks and of what the worker reads: every resource of theirs exists."""

from __future__ import annotations

from stages.stage import AMPLIFY_INDEXES, AMPLIFY_TABLES

from ..aws import artifacts, dynamodb, ledger, resources, stack_state
from ..aws import stacks as cloudformation
from ..aws.clients import Aws, make
from ..console.text import pluralize, shorten_digest
from ..differences import alarm_drift, bucket_drift, table_drift
from .finding import FAIL, OK, WARN, Finding

HARMLESS = ("AWS::CloudWatch::Alarm", "AWS::SNS::Topic")
"""Types without which jobs are scored all the same."""
UNCONFIRMED = "PendingConfirmation"
"""SNS's ARN of a subscription whose confirmation was not answered."""


def check_templates(aws: Aws) -> Finding:
    """templates: they were synthesized from the stage file as it is."""
    if not resources.is_outdated(aws.stage.name):
        return Finding("templates", OK, f"up to date with stages/{aws.stage.name}.toml")
    way = make("infra-deploy", aws.stage) if aws.stage.is_local else "make infra, and commit the templates"
    return Finding("templates", WARN, f"older than stages/{aws.stage.name}.toml", way)


def check_stacks(aws: Aws) -> Finding:
    """resources: every stack exists, with every resource of its template."""
    client, absent, kinds, count = aws.client("cloudformation"), [], set(), 0
    for template in resources.read_templates(aws.stage.name):
        stack = cloudformation.describe(client, template.stack)
        if stack is None:
            absent.append(f"stack {template.stack}")
            kinds.add("AWS::Lambda::Function" if template.wants_image else "stack")
            continue
        wanted = cloudformation.read_template(client, template.stack)
        count += len(wanted["Resources"])
        for entry in stack_state.find_deleted(aws, template.stack, wanted):
            absent.append(f"{entry.type.rpartition('::')[2]} {stack_state.name_of(wanted, entry.logical_id)}")
            kinds.add(entry.type)
    if not absent:
        return Finding("resources", OK, f"all {count} of the stacks exist")
    verdict = WARN if kinds <= set(HARMLESS) else FAIL
    return Finding("resources", verdict, f"deleted: {', '.join(absent)}", make(_way(aws, kinds), aws.stage))


def check_tables(aws: Aws) -> list[Finding]:
    """tables: they have keys, indexes and billing of their templates, and those that Amplify created exist."""
    if wrong := list(table_drift.compare_tables(aws)):
        way = make("infra-deploy", aws.stage)
        if table_drift.KEY in {one.setting for one in wrong}:
            way = f"keep the records of that table elsewhere, delete it, then {way}"
        return [Finding("tables", FAIL, "; ".join(map(str, wrong)), way)]
    stage, client, problems = aws.stage, aws.client("dynamodb"), []
    foreign = [table for table in AMPLIFY_TABLES if stage.is_foreign(table)]
    for table in foreign:
        name = stage.table(table)
        try:
            indexes = client.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes", [])
        except client.exceptions.ResourceNotFoundException:
            problems.append(f"{name} does not exist")
            continue
        wanted = {stage.index(table).name} if table in AMPLIFY_INDEXES else set()
        problems += [f"{name} has no index {index}" for index in wanted - {entry["IndexName"] for entry in indexes}]
    if not foreign:
        return [Finding("tables", OK, "all have their keys, indexes and billing")]
    if problems:
        way = f"correct tables.amplify and tables.indexes in stages/{stage.name}.toml, then {make('config', stage)}"
        return [Finding("tables", FAIL, "; ".join(problems), way)]
    return [Finding("tables", OK, f"all {len(foreign)} of Amplify exist, with their indexes")]


def check_account(aws: Aws) -> Finding:
    """account: one has the stage's key; with none or with two, the worker takes no job."""
    stage, ids = aws.stage, dynamodb.find_accounts(aws)
    table, key = stage.table("Account"), stage.account_key
    if len(ids) == 1:
        return Finding("account", OK, f"{key}: {ids[0]}")
    detail = f"table {table}: got {pluralize(len(ids), 'account')} with key {key!r}, expected 1"
    if ids:
        return Finding("account", FAIL, f"{detail}: {', '.join(ids)}", f"delete the wrong ones from table {table}")
    if not aws.client("dynamodb").scan(TableName=stage.table("ScoringJob"), Limit=1)["Items"]:
        return Finding("account", OK, f"{key}: none before the first job, with which make enqueue writes it")
    way = (
        f"correct account_key in stages/{stage.name}.toml, then {make('config', stage)}; make enqueue writes a lost one"
    )
    return Finding("account", FAIL, detail, way)


def check_bucket(aws: Aws) -> Finding:
    """bucket: its policy lets the worker read, it keeps artifacts, and nobody else may read them."""
    if wrong := list(bucket_drift.compare_bucket(aws)):
        return Finding("bucket", FAIL, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    return Finding("bucket", OK, f"{aws.stage.bucket}, as in its template")


def check_artifacts(aws: Aws) -> Finding:
    """artifacts: the bucket has the models and cassettes that champion versions name, without which their jobs fail."""
    lost = artifacts.find_lost(aws)
    if not lost:
        return Finding("artifacts", OK, "the bucket has those of every champion version")
    names = ", ".join(f"{shorten_digest(one.digest)} of {', '.join(one.scores)}" for one in lost)
    kept = all(one.is_restorable or artifacts.is_stored_here(one.digest) for one in lost)
    way = make("artifacts", aws.stage) if kept else artifacts.TRAIN
    return Finding("artifacts", FAIL, f"deleted from bucket {aws.stage.bucket}: {names}", way)


def check_alarms(aws: Aws) -> Finding:
    """alarms: a raised alarm notifies somebody."""
    prefix, stage = f"{aws.stage.function.name}-", aws.stage
    if wrong := [*alarm_drift.compare_alarms(aws), *alarm_drift.compare_topics(aws)]:
        return Finding("alarms", WARN, "; ".join(map(str, wrong)), make("infra-deploy", stage))
    entries = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    topics = sorted({action for entry in entries for action in entry["AlarmActions"] if ":sns:" in action})
    if stage.is_local:
        return Finding("alarms", OK, f"{len(entries)}, evaluated every minute; the local stage notifies nobody")
    client = aws.client("sns")
    subscribers = [
        subscriber["SubscriptionArn"]
        for topic in topics
        for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for subscriber in page["Subscriptions"]
    ]
    if confirmed := [arn for arn in subscribers if arn != UNCONFIRMED]:
        return Finding("alarms", OK, f"{len(entries)}, notifying {pluralize(len(confirmed), 'subscriber')}")
    names = ", ".join(topic.rpartition(":")[2] for topic in topics) or "none"
    if subscribers:
        detail = f"nobody is notified: the subscription to topic {names} is not confirmed"
        return Finding("alarms", WARN, detail, "open the link in the e-mail of AWS Notifications")
    detail = f"nobody is notified: topic {names} has no subscriber"
    return Finding(
        "alarms",
        WARN,
        detail,
        f"set alarms.notify in stages/{stage.name}.toml, then make infra, commit, {make('infra-deploy', stage)}",
    )


def _way(aws: Aws, kinds: set[str]) -> str:
    """Return the targets that create the resources again, and deploy the last image if the function is among them."""
    last = ledger.read_last(aws)
    if "AWS::Lambda::Function" in kinds:
        return f"infra-deploy rollback TO={shorten_digest(last.digest)}" if last else "build push infra-deploy deploy"
    if "AWS::IAM::Role" in kinds:
        return "infra-deploy config"
    return "infra-deploy"
