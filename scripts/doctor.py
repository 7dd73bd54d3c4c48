"""What is wrong, in the order in which things have to be right, each with a verdict and a remedy.

python -m scripts.doctor
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import _doctor_function, _doctor_queues, _doctor_ship
from ._aws import Aws, explain
from ._command import DONE, FAILED, Shell, verb
from ._errors import OperationFailed
from ._finding import BAD, SKIPPED, Finding

Check = Callable[[Aws], Finding]
CHECKS: tuple[Check, ...] = (
    _doctor_ship.prerequisites,
    _doctor_ship.credentials,
    _doctor_ship.clock,
    _doctor_ship.repository,
    _doctor_function.state,
    _doctor_ship.image,
    _doctor_function.architecture,
    _doctor_function.environment,
    _doctor_function.role,
    _doctor_queues.visibility,
    _doctor_queues.redrive,
    _doctor_function.event_source,
    _doctor_queues.depth,
    _doctor_function.errors,
)
NEEDED = {_doctor_ship.credentials}
"""Without these nothing after them can be looked at."""


@dataclass(frozen=True)
class Diagnosis:
    """Every finding, in order."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """1 when something is broken; what is only worth a look is no failure."""
        return FAILED if any(one.verdict == BAD for one in self.findings) else DONE


def diagnose(aws: Aws) -> Diagnosis:
    """Look at everything; what cannot be looked at is a finding too."""
    findings: list[Finding] = []
    blocked = ""
    for check in CHECKS:
        name = (check.__doc__ or check.__name__).split(":")[0]
        if blocked:
            findings.append(Finding(name, SKIPPED, f"not looked at: {blocked}"))
            continue
        findings.append(_looked(check, name, aws))
        if check in NEEDED and findings[-1].verdict == BAD:
            blocked = findings[-1].detail
    return Diagnosis(tuple(findings))


def _looked(check: Check, name: str, aws: Aws) -> Finding:
    try:
        return check(aws)
    except OperationFailed as problem:
        return Finding(name, BAD, problem.problem, problem.remedy)
    except Exception as error:
        told = explain(error, aws.stage)
        if told is None:
            raise
        return Finding(name, BAD, told.problem, told.remedy)


MARKS = {"ok": ("ok  ", "green"), "look": ("look", "yellow"), "bad": ("BAD ", "red"), "skipped": ("-   ", "dim")}


def _render(found: Diagnosis, shell: Shell) -> None:
    width = max(len(one.name) for one in found.findings)
    for one in found.findings:
        mark, style = MARKS[one.verdict]
        shell.console.print(f"[{style}]{mark}[/{style}] ", end="")
        shell.console.print(f"{one.name:{width}}  {one.detail}", markup=False)
        if one.remedy and one.verdict not in ("ok", SKIPPED):
            shell.console.print(f"     {'':{width}}  next: {one.remedy}", markup=False)


@verb(render=_render)
def main(shell: Shell) -> Diagnosis:
    """Look at everything that has to be right for jobs to be scored; exit code 1 when something is broken."""
    return diagnose(shell.aws)


if __name__ == "__main__":
    main()
