"""The doctor's look at the function: state, architecture, environment, role, event source, errors."""

from __future__ import annotations

import time
from typing import Any

from . import _drift_function, _function, _logs, _release, configure
from ._aws import Aws, make
from ._errors import NotFound
from ._finding import BAD, LOOK, OK, SKIPPED, Finding
from ._function import Facts

HOUR_S = 3600
SHOWN = 160  # characters of the last error


def state(aws: Aws) -> Finding:
    """function: active, its last update worked, and the alias names a version."""
    found, live = _function.read(aws), _release.read_live(aws)
    if found.is_failed:
        detail = f"{found.state}, last update {found.last_update_status}: {found.reason or 'no reason given'}"
        return Finding("function", BAD, detail, make("deploy", aws.stage))
    if found.is_busy:
        return Finding("function", LOOK, f"{found.state}, an update is under way", "wait for it, then look again")
    if live.version in ("", "$LATEST"):
        return Finding("function", BAD, f"alias {aws.stage.function.alias} names no version", make("deploy", aws.stage))
    split = f", shares {live.alias.shares}" if live.alias and live.is_split else ""
    return Finding("function", LOOK if split else OK, f"Active, {aws.stage.function.alias} names {live.version}{split}")


def _served(aws: Aws) -> Facts:
    """The version that callers get; $LATEST before the first deploy."""
    return _release.read_live(aws).facts or _function.read(aws)


def architecture(aws: Aws) -> Finding:
    """architecture: x86-64, as the image."""
    found = _served(aws).architecture
    if found != "x86_64":
        return Finding("architecture", BAD, f"{found}, and the image is linux/amd64", make("infra-deploy", aws.stage))
    return Finding("architecture", OK, found)


def environment(aws: Aws) -> Finding:
    """environment: every variable as the stage file says, and the queues that it names exist."""
    live = _served(aws)
    wrong = configure.differences(live, aws.stage, {})
    absent = [one.name for one in wrong if one.old is None]
    if absent:
        return Finding("environment", BAD, f"absent: {', '.join(absent)}", make("config", aws.stage))
    lost = [name for name, url in live.environment.items() if name.endswith("_QUEUE_URL") and not _exists(aws, url)]
    if lost:
        return Finding("environment", BAD, f"no such queue: {', '.join(lost)}", make("infra-deploy", aws.stage))
    if wrong:
        return Finding(
            "environment",
            LOOK,
            f"other than the stage file: {', '.join(o.name for o in wrong)}",
            make("config", aws.stage),
        )
    return Finding("environment", OK, f"{len(live.environment)} variables, every queue is there")


def _exists(aws: Aws, url: str) -> bool:
    try:
        aws.queue_url(url.rpartition("/")[2])
    except NotFound:
        return False
    return True


def role(aws: Aws) -> Finding:
    """role: it allows what the template's policy allows, as IAM itself decides."""
    wanted = [_drift_function.resolved_policy(aws, policy) for policy in _drift_function.policies(aws)]
    arn = _function.read(aws).role
    statements = [one for document in wanted for one in document["Statement"]]
    try:
        denied = [action for statement in statements for action in _denied(aws.client("iam"), arn, statement)]
    except Exception as error:
        if not type(error).__module__.startswith("botocore"):
            raise
        return Finding("role", SKIPPED, f"this IAM does not simulate policies: {str(error)[:100]}")
    if denied:
        return Finding("role", BAD, f"denied: {', '.join(sorted(set(denied)))}", make("infra-deploy", aws.stage))
    return Finding("role", OK, f"{arn.rpartition('/')[2]} allows all {len(statements)} statements")


def _denied(client: Any, arn: str, statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    answer = client.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, ResourceArns=resources)
    return [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]


def event_source(aws: Aws) -> Finding:
    """event source: as the stage file says; switched off is worth a look, since nothing feeds the function then."""
    wrong = list(_drift_function.event_source(aws))
    if wrong:
        return Finding("event source", BAD, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    if not aws.stage.event_source.enabled:
        return Finding(
            "event source", LOOK, "off: jobs are only taken by invoking the function", "make invoke takes one"
        )
    return Finding("event source", OK, f"on, batches of {aws.stage.event_source.batch_size}")


def errors(aws: Aws) -> Finding:
    """errors: those in the last hour's log."""
    since = int((time.time() - HOUR_S) * 1000)
    try:
        lines = [event.message for event in _logs.read(aws, since)]
    except NotFound:
        return Finding("errors", OK, "no log yet: the function was never invoked")
    found = [line for line in lines if _logs.level_of(line) in ("ERROR", "CRITICAL")]
    if not found:
        return Finding("errors", OK, f"none among {len(lines)} lines of the last hour")
    last = _reason(found[-1])
    last = last if len(last) <= SHOWN else f"{last[:SHOWN]}…"
    remedy = f"{make('logs', aws.stage)} FOLLOW=0 LEVEL=ERROR SINCE=1h"
    return Finding("errors", LOOK, f"{len(found)} in the last hour, the last: {last}", remedy)


def _reason(line: str) -> str:
    """What a line tells of an error, without the ids that stand before it; the whole line where it is not ours."""
    record = _logs.parsed(line) or {}
    return f"{record['message']}: {record['error']}" if {"message", "error"} <= set(record) else _logs.render(line)
