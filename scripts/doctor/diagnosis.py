"""Run every check of the doctor in the order of their dependencies, and rank the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..aws.clients import Aws, explain
from ..console.errors import DONE, FOUND, OperationFailed
from ..console.progress import Begin
from . import delivery_checks, function_checks, health_checks, queue_checks, resource_checks
from .finding import FAIL, OK, SKIP, WARN, Finding

Check = Callable[[Aws], Finding | list[Finding]]
CHECKS: tuple[Check, ...] = (
    delivery_checks.check_prerequisites,
    delivery_checks.check_disk,
    delivery_checks.check_credentials,
    delivery_checks.check_clock,
    delivery_checks.check_repository,
    resource_checks.check_templates,
    resource_checks.check_stacks,
    resource_checks.check_tables,
    resource_checks.check_account,
    resource_checks.check_bucket,
    resource_checks.check_artifacts,
    resource_checks.check_alarms,
    function_checks.check_state,
    function_checks.deploys,
    function_checks.check_concurrency,
    delivery_checks.check_image,
    function_checks.check_architecture,
    function_checks.check_environment,
    function_checks.check_role,
    queue_checks.check_visibility,
    queue_checks.redrive,
    queue_checks.check_drift,
    function_checks.check_event_source,
    function_checks.check_log_group,
    health_checks.check_calls,
    queue_checks.check_depth,  # full of what failing calls did not delete
)
OF_FUNCTION: frozenset[Check] = frozenset(
    {
        function_checks.check_concurrency,
        delivery_checks.check_image,
        function_checks.check_architecture,
        function_checks.check_environment,
        function_checks.check_role,
        queue_checks.check_visibility,
        function_checks.check_event_source,
        health_checks.check_calls,
    }
)
NEEDED: dict[Check, frozenset[Check]] = {
    delivery_checks.check_credentials: frozenset(CHECKS),
    function_checks.check_state: OF_FUNCTION,
}
"""The checks that are skipped if one of these has a blocking finding."""
RANK = (FAIL, WARN, OK, SKIP)


@dataclass(frozen=True)
class Diagnosis:
    """All findings, ranked: failures, then warnings, then the rest, each in the order of their dependencies.

    A failure that causes others comes before them, and what an earlier version left behind after them, so that the
    first line is the cause.
    """

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """3 if a check failed; a warning is not a failure."""
        return FOUND if any(one.verdict == FAIL for one in self.findings) else DONE


def diagnose(aws: Aws, begin: Begin = lambda _: None) -> Diagnosis:
    """Run all checks, each announced to `begin` by its name; a check that raises an error is a failed finding.

    Checks run one after another. Those that need what a failed one has found missing are skipped, with its detail as
    their reason. Findings are sorted by severity; within it they keep the order of the checks, consequences of earlier
    failures last.
    """
    findings: list[Finding] = []
    blocked: dict[Check, str] = {}
    for check in CHECKS:
        name = (check.__doc__ or check.__name__).split(":")[0]
        if check in blocked:
            findings.append(Finding(name, SKIP, f"not checked: {blocked[check]}"))
            continue
        begin(name)
        result = _run(check, name, aws)
        findings += result if isinstance(result, list) else [result]
        if findings[-1].is_blocking:
            blocked |= dict.fromkeys(NEEDED.get(check, ()), findings[-1].detail)
    return Diagnosis(tuple(sorted(findings, key=lambda one: (RANK.index(one.verdict), one.is_aftermath))))


def _run(check: Check, name: str, aws: Aws) -> Finding | list[Finding]:
    try:
        return check(aws)
    except OperationFailed as problem:
        return Finding(name, FAIL, problem.problem, problem.remedy, check is delivery_checks.check_credentials)
    except Exception as error:
        explained = explain(error, aws.stage)
        if explained is None:
            raise
        return Finding(name, FAIL, explained.problem, explained.remedy, check is delivery_checks.check_credentials)
