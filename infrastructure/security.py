"""Check the stacks with published rule packs (cdk-nag), and list the accepted findings with their reasons."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infrastructure.node import use_wheel_node
from stages import Stage


@dataclass(frozen=True, order=True)
class RuleViolation:
    """A rule that a stack breaks; `rule` is its name in the pack, without the suffix in brackets."""

    noun: str
    rule: str


@dataclass(frozen=True)
class Accepted:
    """A violation accepted for a reason, on some stages, with tracing on (True), off (False) or either (None)."""

    violation: RuleViolation
    reason: str
    stages: frozenset[str] = frozenset({"local", "staging", "production"})
    tracing: bool | None = None


CLOUD = frozenset({"staging", "production"})
ACCEPTED = (
    Accepted(
        RuleViolation("tables", "AwsSolutions-DDB3"),
        "Point-in-time recovery is billed by size, and the tables of the local AWS are re-created in seconds.",
        frozenset({"local"}),
    ),
    Accepted(
        RuleViolation("tables", "AwsSolutions-S1"),
        "Artifacts are named by the digest of their content, which is verified on every read: a change is detected. "
        "Reads are recorded by the account's trail of S3 data events, which is more complete than access logs.",
    ),
    Accepted(
        RuleViolation("function", "AwsSolutions-IAM5"),
        "The wildcards match log streams, which Lambda names itself, and objects of the function's own bucket, "
        "whose keys are digests. No action and no other resource has a wildcard, as test_function.py verifies.",
    ),
    Accepted(
        RuleViolation("queues", "Serverless-SQSRedrivePolicy"),
        "The two queues without a redrive policy are the dead-letter queues themselves, as test_queues.py verifies.",
    ),
    Accepted(
        RuleViolation("function", "Serverless-LambdaDLQ"),
        "The only asynchronous invocation is the sweep, and the next sweep makes up for one that failed.",
    ),
    Accepted(
        RuleViolation("function", "Serverless-EventBusDLQ"),
        "The only rule is the sweep, and the next sweep makes up for one that did not arrive.",
        CLOUD,
    ),
    Accepted(
        RuleViolation("function", "Serverless-LambdaTracing"),
        "X-Ray is a setting of the stage, and off by default: it is billed by the trace, and the duration, wait and "
        "calls of each job are in its log line and metrics anyway.",
        tracing=False,
    ),
    Accepted(
        RuleViolation("function", "Serverless-LambdaStarPermissions"),
        "X-Ray's two actions do not support resource-level permissions.",
        tracing=True,
    ),
    Accepted(
        RuleViolation("function", "Serverless-LambdaEventSourceMappingDestination"),
        "A mapping from SQS does not support a destination for failures; the queue's redrive policy handles them.",
    ),
)


def violations(settings: Stage) -> set[RuleViolation]:
    """Check the stage's stacks with all packs; returns every rule that one of them breaks."""
    use_wheel_node()
    from aws_cdk import App
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    from infrastructure.stacks import STACKS

    app = App(analytics_reporting=False, stack_traces=False, tree_metadata=False)
    stacks = [stack(app, settings) for stack in STACKS]
    return {
        RuleViolation(stack.noun, found.rule_name.partition("[")[0])
        for pack in (AwsSolutionsChecks(app), ServerlessChecks(app))
        for stack in stacks
        for found in pack.validate_scope(stack).violations
    }


def accepted_violations(settings: Stage, table: Iterable[Accepted] = ACCEPTED) -> Iterator[RuleViolation]:
    """Return the accepted violations of a stage."""
    either = (None, settings.function.tracing)
    return (entry.violation for entry in table if settings.name in entry.stages and entry.tracing in either)
