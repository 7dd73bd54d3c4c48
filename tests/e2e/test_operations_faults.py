"""Fault → the doctor's first line → its remedy, run literally → healthy: one row for each fault, on the local AWS."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from scripts.doctor import queue_checks
from scripts.doctor.diagnosis import diagnose
from scripts.doctor.finding import Finding
from scripts.release import configuration, deployment
from tests.e2e import faults_by_hand as by_hand
from tests.e2e.conftest import ROOT, wait_for
from tests.e2e.staged import Staged, start_staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    """Yield the local stage with two deploys of working images, of which the second serves."""
    with start_staged("faults", tmp_path_factory.mktemp("images")) as result:
        for name in ("good", "better"):
            deployment.deploy(result.aws, by_hand.image(result, name), commit="1" * 40)
        configuration.configure(result.aws)
        yield result


@dataclass(frozen=True)
class Row:
    """A fault, the first finding that the doctor must print, and its remedy: a command line of make, as printed."""

    name: str
    fault: Callable[[Staged], object]
    check: str
    message: str
    remedy: str
    verdict: str = "fail"


INFRA = "make infra-deploy"
ROWS = [
    *(
        Row(f"table {name} deleted", by_hand.deleted_table(name), "resources", f"deleted: Table local-{name}", INFRA)
        for name in ("ScoringJob", "ScoreResult", "Item", "Score", "Outbox")
    ),
    *(
        Row(f"{name} queue deleted", by_hand.deleted_queue(name), "resources", "deleted: Queue plexus-scoring-", INFRA)
        for name in ("request", "response", "request_dead_letters", "response_dead_letters")
    ),
    Row(
        "event source deleted",
        by_hand.delete_by("lambda", "delete_event_source_mapping", UUID=lambda stage: by_hand.mapping(stage)["UUID"]),
        "resources",
        "deleted: EventSourceMapping",
        INFRA,
    ),
    Row(
        "log group deleted",
        by_hand.delete_by("logs", "delete_log_group", logGroupName=lambda stage: stage.aws.stage.log_group),
        "resources",
        "deleted: LogGroup /aws/lambda/",
        INFRA,
    ),
    Row(
        "bucket deleted",
        by_hand.delete_by("s3", "delete_bucket", Bucket=lambda stage: stage.aws.stage.bucket),
        "resources",
        "deleted: Bucket plexus-score-processor-artifacts-local",
        INFRA,
    ),
    Row(
        "alarm deleted",
        by_hand.delete_by("cloudwatch", "delete_alarms", AlarmNames=["plexus-score-processor-lambda-errors"]),
        "resources",
        "deleted: Alarm plexus-score-processor-lambda-errors",
        INFRA,
        "warn",
    ),
    Row(
        "topic of the alarms deleted",
        by_hand.delete_by(
            "sns", "delete_topic", TopicArn=lambda stage: stage.aws.client("sns").list_topics()["Topics"][0]["TopicArn"]
        ),
        "resources",
        "deleted: Topic plexus-score-processor-lambda-alarms",
        INFRA,
        "warn",
    ),
    Row("stack deleted", by_hand.deleted_stack, "resources", "deleted: stack local-queues", INFRA),
    Row(
        "alias deleted",
        by_hand.delete_by("lambda", "delete_alias", FunctionName=lambda stage: stage.function, Name="live"),
        "resources",
        "deleted: Alias live",
        INFRA,
    ),
    Row(
        "function deleted",
        by_hand.delete_by("lambda", "delete_function", FunctionName=lambda stage: stage.function),
        "resources",
        "deleted: Function plexus-score-processor-lambda, Alias live",
        r"make infra-deploy rollback TO=[0-9a-f]{12}",
    ),
    Row(
        "role policy deleted",
        by_hand.delete_by("iam", "delete_role_policy", RoleName=by_hand.role, PolicyName="worker"),
        "role",
        "policy worker: got absent, expected present",
        INFRA,
    ),
    Row("role has another policy", by_hand.another_policy, "role", "policy more: got present, expected absent", INFRA),
    Row("role policy widened", by_hand.widened_policy, "role", "statement TakeRequests: got .*sqs:\\*", INFRA),
    Row(
        "visibility below the timeout",
        by_hand.queue_attributes("request", VisibilityTimeout="10"),
        "visibility",
        "10 s for a function timeout of 300 s: running jobs are redelivered",
        INFRA,
    ),
    Row(
        "visibility too short",
        by_hand.queue_attributes("request", VisibilityTimeout="400"),
        "visibility",
        "400 s for a function timeout of 300 s, expected 1800 s",
        INFRA,
        "warn",
    ),
    *(
        Row(
            f"{name} queue without dead-letter queue",
            by_hand.queue_attributes(name, RedrivePolicy=""),
            "dead letters",
            "got dead-letter queue none, expected plexus-scoring-",
            INFRA,
        )
        for name in ("request", "response")
    ),
    Row("event source disabled", by_hand.mapping_changed(Enabled=False), "event source", "enabled: got False", INFRA),
    Row(
        "batch size changed",
        by_hand.mapping_changed(BatchSize=3),
        "event source",
        "batch size: got 3, expected 10",
        INFRA,
    ),
    Row(
        "concurrency of the event source changed",
        by_hand.mapping_changed(ScalingConfig={"MaximumConcurrency": 2}),
        "event source",
        "maximum concurrency: got 2, expected 10",
        INFRA,
    ),
    Row(
        "tags mutable",
        by_hand.delete_by(
            "ecr",
            "put_image_tag_mutability",
            repositoryName=lambda stage: stage.aws.stage.repository,
            imageTagMutability="MUTABLE",
        ),
        "repository",
        "tags are mutable",
        INFRA,
        "warn",
    ),
    Row(
        "variable removed",
        by_hand.variables(PLEXUS_ACCOUNT_KEY=None),
        "environment",
        "absent: PLEXUS_ACCOUNT_KEY",
        "make config",
    ),
    Row(
        "variable changed",
        by_hand.variables(LOG_LEVEL="DEBUG"),
        "environment",
        "differs from the stage file: LOG_LEVEL",
        "make config",
        "warn",
    ),
    Row(
        "memory changed",
        by_hand.settings(MemorySize=512),
        "environment",
        "differs .*: memory_mb",
        "make config",
        "warn",
    ),
    Row("$LATEST changed", by_hand.latest(Timeout=3), "environment", r"\$LATEST.*: timeout_s", "make config", "warn"),
    Row("timeout changed", by_hand.settings(Timeout=30), "environment", "differs .*: timeout_s", "make config", "warn"),
    Row(
        "throttled completely",
        by_hand.delete_by(
            "lambda",
            "put_function_concurrency",
            FunctionName=lambda stage: stage.function,
            ReservedConcurrentExecutions=0,
        ),
        "concurrency",
        "reserved: got 0, expected none",
        "make config",
    ),
    Row(
        "every call raises",
        by_hand.deploy_failing("raising", "raise RuntimeError('boom\\nin two lines')"),
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: RuntimeError: boom$",
        "make rollback",
    ),
    Row(
        "every call exits",
        by_hand.deploy_failing("exiting", "os._exit(3)"),
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: Runtime exited with error: exit status 3$",
        "make rollback",
    ),
    Row(
        "every call crashes",
        by_hand.deploy_failing("crashing", "os.kill(os.getpid(), signal.SIGSEGV)"),
        "calls",
        r"version \d+ failed 4 of 4 calls since .*: Runtime exited with error: signal: segmentation fault",
        "make rollback",
    ),
    Row(
        "every call runs out of memory",
        by_hand.deploy_failing("greedy", "block = b'x' * (200 << 20); time.sleep(60)", MemorySize=128),
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: Runtime.OutOfMemory$",
        "make rollback",
    ),
    Row(
        "every call times out",
        by_hand.deploy_failing("slow", "time.sleep(60)", Timeout=3),
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: Task timed out after 3.00 seconds$",
        "make rollback",
    ),
    Row(
        "every call fills the disk",
        by_hand.deploy_failing("filling", "open('/tmp/full', 'wb').write(bytes(600 << 20))"),
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: OSError: \[Errno 28\] No space left on device$",
        "make rollback",
    ),
    Row(
        "settings break every call",
        by_hand.configured_badly,
        "calls",
        r"version \d+ failed 4 of 4 calls since \d\d:\d\d: RuntimeError: broken by its settings",
        r"make rollback TO=\d+",
    ),
    Row(
        "no job has a result",
        by_hand.jobs_fail,
        "jobs",
        r"0 completed, 4 without a result since \d\d:\d\d; latest: no result: ValueError: odd",
        "make rollback",
    ),
    Row(
        "a killed canary keeps its share",
        by_hand.share_calls(failing=False),
        "function",
        r"version \d+ gets 90 % of the calls, and no deploy is running: a canary was killed",
        r"make rollback TO=\d+",
    ),
    Row(
        "a killed canary fails",
        by_hand.share_calls(failing=True),
        "function",
        r"version \d+ gets 90 % of the calls",
        r"make rollback TO=\d+",
    ),
    Row(
        "alias at $LATEST",
        by_hand.alias_at(lambda _: "$LATEST"),
        "function",
        r"alias live points at \$LATEST instead of a version",
        r"make rollback TO=[0-9a-f]{12}",
    ),
    Row(
        "alias moved by hand",
        by_hand.alias_at(lambda _: "1"),
        "function",
        r"alias live points at version 1, the ledger's last entry is version \d+",
        r"make rollback TO=\d+",
        "warn",
    ),
    Row(
        "$LATEST has another image",
        by_hand.latest_elsewhere,
        "function",
        r"\$LATEST has image [0-9a-f]{12}, callers of alias live get [0-9a-f]{12}",
        r"make rollback TO=\d+",
        "warn",
    ),
    Row(
        "a deploy was killed",
        by_hand.killed_deploy,
        "lock",
        r"held by .*, process \d+ for .*, who has ended",
        "make unlock",
        "warn",
    ),
]


def run(stage: Staged, line: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of make."""
    words = line.split()
    return subprocess.run(
        words, cwd=ROOT, env=by_hand.environment(stage), capture_output=True, text=True, timeout=1200, check=False
    )


def problems(stage: Staged) -> list[Finding]:
    """Return the findings that are neither ok nor skipped, in the order in which the doctor prints them."""
    return [one for one in diagnose(stage.aws).findings if one.verdict in ("fail", "warn")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_doctors_remedy_heals(stage: Staged, row: Row) -> None:
    """The doctor's first line is the fault's cause, and its remedy, run as printed, leaves nothing to report."""
    assert problems(stage) == []
    row.fault(stage)
    first, *others = problems(stage)
    output = [f"{one.verdict} {one.name}: {one.detail}: next: {one.remedy}" for one in (first, *others)]
    assert (first.name, first.verdict) == (row.check, row.verdict), output
    assert re.search(row.message, first.detail), output
    assert re.fullmatch(row.remedy, first.remedy), output
    done = run(stage, first.remedy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert problems(stage) == [], done.stdout + done.stderr
    if first.verdict == "fail":
        assert stage.answer() in ("good", "better"), done.stdout


def test_a_full_queue_is_found_until_its_messages_return(stage: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue at the limit of messages in flight is a failure, and healthy again after the printed wait."""
    monkeypatch.setitem(queue_checks.IN_FLIGHT, "standard", by_hand.CALLS)
    assert problems(stage) == []
    by_hand.receive_and_keep(stage, seconds=5)
    (finding,) = problems(stage)
    assert (finding.name, finding.verdict) == ("queues", "fail")
    assert re.search("-response delivers no message: got 4 in flight, expected fewer than 4$", finding.detail)
    assert "wait for their visibility timeout, then run make doctor again" in finding.remedy
    wait_for(lambda: problems(stage) == [], "the messages to return")
