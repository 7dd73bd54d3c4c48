"""Checks the stacks by published rule packs (cdk-nag), and says which findings are accepted and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infrastructure.node import use_wheel_node
from stages import Stage


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a stack breaks; `rule` is the pack's name for it, without what a bracket may add."""

    noun: str
    rule: str


@dataclass(frozen=True)
class Accepted:
    """A finding that is left as it is, on some stages, for a reason; `tracing` on, off, or None for either."""

    finding: Finding
    reason: str
    stages: frozenset[str] = frozenset({"local", "staging", "production"})
    tracing: bool | None = None


CLOUD = frozenset({"staging", "production"})
ACCEPTED = (
    Accepted(
        Finding("tables", "AwsSolutions-DDB3"),
        "Point-in-time recovery costs by size, and the local AWS's tables are made anew in seconds.",
        frozenset({"local"}),
    ),
    Accepted(
        Finding("tables", "AwsSolutions-S1"),
        "Artifacts are named by the digest of their content and checked on every read: nobody can change one. "
        "Who read one is answered by the account's trail of S3 data events, which also holds what access logs lose.",
    ),
    Accepted(
        Finding("function", "AwsSolutions-IAM5"),
        "The wildcards stand for log streams, which Lambda names itself, and for objects of the function's own bucket, "
        "whose keys are digests; no action and no other resource is a wildcard, which test_function.py holds.",
    ),
    Accepted(
        Finding("queues", "Serverless-SQSRedrivePolicy"),
        "The two queues without a redrive policy are the dead-letter queues themselves; test_queues.py holds that.",
    ),
    Accepted(
        Finding("function", "Serverless-LambdaDLQ"),
        "The only asynchronous invocation is the sweep, and a sweep that failed is made good by the next one.",
    ),
    Accepted(
        Finding("function", "Serverless-EventBusDLQ"),
        "The only rule is the sweep, and a sweep that did not arrive is made good by the next one.",
        CLOUD,
    ),
    Accepted(
        Finding("function", "Serverless-LambdaTracing"),
        "X-Ray is a setting of the stage, off until someone wants to see which step was slow: it is paid for by the "
        "trace, and each job's duration, wait and calls are in its log line and its metrics anyway.",
        tracing=False,
    ),
    Accepted(
        Finding("function", "Serverless-LambdaStarPermissions"),
        "X-Ray's two actions know no resource to name, so that no narrower statement would allow them.",
        tracing=True,
    ),
    Accepted(
        Finding("function", "Serverless-LambdaEventSourceMappingDestination"),
        "A mapping from SQS takes no destination for failures: the queue's redrive policy catches them.",
    ),
)


def findings(settings: Stage) -> set[Finding]:
    """Every rule that a stack of the stage breaks."""
    use_wheel_node()
    from aws_cdk import App
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from infrastructure.stacks import STACKS

    app = App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
    stacks = [stack(app, settings) for stack in STACKS]
    return {
        Finding(stack.noun, violation.rule_name.partition("[")[0])
        for pack in (AwsSolutionsChecks(app), ServerlessChecks(app))
        for stack in stacks
        for violation in pack.validate_scope(stack).violations
    }


def accepted(settings: Stage, table: Iterable[Accepted] = ACCEPTED) -> Iterator[Finding]:
    """What is accepted on a stage."""
    either = (None, settings.function.tracing)
    return (one.finding for one in table if settings.name in one.stages and one.tracing in either)
