"""Checks of the function: state, architecture, environment, role and event source."""

from __future__ import annotations

from typing import Any

from ..aws import lambda_function, ledger, lock
from ..aws.clients import Aws, make
from ..aws.lambda_function import FunctionVersion
from ..aws.ledger import Entry
from ..console.errors import NotFound
from ..console.text import shorten_digest
from ..differences import function_drift
from ..release import configuration, versions
from ..release.versions import ServedVersion
from .finding import FAIL, OK, SKIP, WARN, Finding


def check_state(aws: Aws) -> Finding:
    """function: it is active, its last update succeeded, and the alias points at one version."""
    alias, last = aws.stage.function.alias, ledger.read_last(aws)
    try:
        current, live = lambda_function.read(aws), versions.read_live(aws)
    except NotFound as problem:
        way = f"infra-deploy rollback TO={shorten_digest(last.digest)}" if last else "build push infra-deploy deploy"
        return Finding("function", FAIL, problem.problem, make(way, aws.stage), is_blocking=True)
    if live.alias is None:
        known = f"; version {last.version} was deployed last" if last else ""
        way = make("infra-deploy" if last else "deploy", aws.stage)
        return Finding("function", FAIL, f"alias {alias} does not exist{known}", way, is_blocking=True)
    if live.version == "$LATEST":
        way = f"rollback TO={shorten_digest(last.digest)}" if last else "deploy"
        return Finding("function", FAIL, f"alias {alias} points at $LATEST instead of a version", make(way, aws.stage))
    if current.is_busy:
        return Finding(
            "function", WARN, f"{current.state}, an update is in progress", "wait, then run make doctor again"
        )
    if current.is_failed:
        detail = f"$LATEST: last update {current.last_update_status}: {current.reason or 'no reason given'}"
        return Finding("function", FAIL, detail, make(f"rollback TO={live.version}", aws.stage))
    return _check_release(aws, live, current, last)


def _check_release(aws: Aws, live: ServedVersion, latest: FunctionVersion, last: Entry | None) -> Finding:
    """Check which version callers get, and that the ledger and $LATEST agree with it."""
    alias = aws.stage.function.alias
    here = make(f"rollback TO={live.version}", aws.stage)
    if live.alias and live.is_split:
        (other, share), *_ = live.alias.shares.items()
        holder, now = lock.read(aws)
        if holder and not holder.is_over(now):
            detail = (
                f"version {other} gets {share:g} % of the calls: canary of {holder.who}, for {holder.compute_age(now)}"
            )
            if pid := holder.stopped_pid:
                way = f"{here}, or kill -CONT {pid} to let the canary continue"
                return Finding("function", WARN, f"{detail}, whose process is stopped", way)
            return Finding("function", WARN, detail, "wait for it to end, then run make doctor again")
        detail = f"version {other} gets {share:g} % of the calls, and no deploy is running: a canary was killed"
        return Finding("function", FAIL, detail, here)
    if last and (last.version, last.digest) != (live.version, live.digest):
        detail = f"alias {alias} points at version {live.version}, the ledger's last entry is version {last.version}"
        way = make(f"rollback TO={last.version}", aws.stage) if _exists_as_recorded(aws, last) else here
        return Finding("function", WARN, detail, way)
    if latest.digest != live.digest:
        served = shorten_digest(live.digest)
        detail = f"$LATEST has image {shorten_digest(latest.digest)}, callers of alias {alias} get {served}"
        return Finding("function", WARN, detail, here)
    return Finding("function", OK, f"Active, alias {alias} at version {live.version}")


def _exists_as_recorded(aws: Aws, entry: Entry) -> bool:
    """Return whether an entry's version exists with its image; not if somebody has edited the ledger."""
    try:
        return bool(entry.version) and lambda_function.read(aws, entry.version).digest == entry.digest
    except NotFound:
        return False


def deploys(aws: Aws) -> Finding:
    """lock: no deploy is running, and none was killed."""
    holder, now = lock.read(aws)
    if holder is None:
        return Finding("lock", OK, "no deploy is running")
    detail = f"held by {holder.who} for {holder.compute_age(now)}"
    if holder.is_over(now):
        return Finding("lock", WARN, f"{detail}, who has ended", make("unlock", aws.stage))
    if pid := holder.stopped_pid:
        return Finding("lock", WARN, f"{detail}, whose process is stopped", f"kill -CONT {pid}")
    return Finding("lock", OK, f"{detail}; if that deploy was killed: {make('unlock', aws.stage)}")


def check_concurrency(aws: Aws) -> Finding:
    """concurrency: the reserved concurrency is the stage file's; with 0 no call runs."""
    for difference in configuration.compare(aws, lambda_function.read(aws), versions.read_live(aws)).function:
        detail = f"reserved: got {difference.old}, expected {difference.new}"
        return Finding("concurrency", FAIL if difference.old == "0" else WARN, detail, make("config", aws.stage))
    reserved = aws.stage.function.reserved_concurrency
    return Finding("concurrency", OK, "not reserved" if reserved is None else f"{reserved} reserved")


def read_served_version(aws: Aws) -> FunctionVersion:
    """Return the served version; $LATEST before the first deploy."""
    return versions.read_live(aws).facts or lambda_function.read(aws)


def check_architecture(aws: Aws) -> Finding:
    """architecture: it is the image's, x86_64."""
    reported = read_served_version(aws).architecture
    if reported != "x86_64":
        return Finding("architecture", FAIL, f"got {reported}, expected x86_64", make("infra-deploy", aws.stage))
    return Finding("architecture", OK, reported)


def check_environment(aws: Aws) -> Finding:
    """environment: settings of callers' version and of $LATEST equal the stage file's, and the queues in it exist."""
    served, latest = versions.read_live(aws), lambda_function.read(aws)
    live, compared = served.facts or latest, configuration.compare(aws, latest, served)
    wrong = configuration.compare_with_stage(live, aws.stage, {})
    absent = [one.name for one in wrong if one.old is None]
    if absent:
        return Finding("environment", FAIL, f"absent: {', '.join(absent)}", make("config", aws.stage))
    lost = [name for name, url in live.environment.items() if name.endswith("_QUEUE_URL") and not _exists(aws, url)]
    if lost:
        return Finding("environment", FAIL, f"no such queue: {', '.join(lost)}", make("infra-deploy", aws.stage))
    differing = wrong or compared.latest
    if differing:
        # A deploy publishes the settings of $LATEST, whatever the served version has.
        whose = "" if wrong else "$LATEST, which the next deploy publishes, "
        names = ", ".join(one.name for one in differing)
        return Finding("environment", WARN, f"{whose}differs from the stage file: {names}", make("config", aws.stage))
    return Finding("environment", OK, f"{len(live.environment)} variables, every queue exists")


def _exists(aws: Aws, url: str) -> bool:
    try:
        aws.queue_url(url.rpartition("/")[2])
    except NotFound:
        return False
    return True


def check_role(aws: Aws) -> Finding:
    """role: it allows the template's policy, by IAM's own simulation."""
    wanted = [function_drift.resolve_policy(aws, policy) for policy in function_drift.read_policies(aws)]
    arn, current = read_served_version(aws).role, lambda_function.read(aws).role
    if arn != current:
        detail = f"callers get {arn.rpartition('/')[2]}, $LATEST has {current.rpartition('/')[2]}"
        return Finding("role", FAIL, detail, make("config", aws.stage))
    absent = aws.client("iam").exceptions.NoSuchEntityException
    try:
        aws.client("iam").get_role(RoleName=arn.rpartition("/")[2])
    except absent:
        way = make("infra-deploy config", aws.stage)
        return Finding("role", FAIL, f"{arn.rpartition('/')[2]} does not exist", way)
    changed = [str(one) for one in function_drift.compare_role(aws)]
    if changed:
        return Finding("role", FAIL, "; ".join(changed), make("infra-deploy", aws.stage))
    statements = [one for document in wanted for one in document["Statement"]]
    try:
        denied = [action for statement in statements for action in _denied_actions(aws.client("iam"), arn, statement)]
    except Exception as error:
        if not type(error).__module__.startswith("botocore"):
            raise
        return Finding("role", SKIP, f"IAM cannot simulate policies here: {str(error)[:100]}")
    if denied:
        return Finding("role", FAIL, f"denied: {', '.join(sorted(set(denied)))}", make("infra-deploy", aws.stage))
    return Finding("role", OK, f"{arn.rpartition('/')[2]} allows all {len(statements)} statements")


def _denied_actions(client: Any, arn: str, statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    answer = client.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, ResourceArns=resources)
    return [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]


def check_event_source(aws: Aws) -> Finding:
    """event source: it equals the stage file's, and nothing was added to the queue by hand.

    A disabled one is a warning, since no job reaches the function.
    """
    wrong = [*function_drift.compare_event_source(aws), *function_drift.compare_consumers(aws)]
    if wrong:
        return Finding("event source", FAIL, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    if not aws.stage.event_source.enabled:
        return Finding(
            "event source", WARN, "disabled: jobs wait until the function is invoked", "make invoke scores one job"
        )
    return Finding("event source", OK, f"enabled, batches of {aws.stage.event_source.batch_size}")


def check_log_group(aws: Aws) -> Finding:
    """log group: it keeps lines for as long as the stage file says."""
    wrong = [one for one in function_drift.log_group(aws) if not one.is_absence]
    if wrong:
        return Finding("log group", WARN, "; ".join(map(str, wrong)), make("infra-deploy", aws.stage))
    return Finding("log group", OK, f"{aws.stage.log_group}, {aws.stage.retention_days} days")
