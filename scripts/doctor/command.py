"""Diagnose the stage.

score-processor doctor
"""

from __future__ import annotations

from ..command.shell import Shell
from ..command.verb import verb
from .diagnosis import Diagnosis, diagnose
from .finding import FAIL, OK, SKIP, WARN

STYLES = {OK: "green", WARN: "yellow", FAIL: "red", SKIP: "dim"}


def _render(diagnosis: Diagnosis, shell: Shell) -> None:
    width = max(len(finding.name) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        shell.console.print(f"{finding.verdict:<4} ", style=STYLES[finding.verdict], end="", markup=False)
        shell.console.print(f"{finding.name:{width}}  {finding.detail}", markup=False)
        if finding.remedy and finding.verdict not in (OK, SKIP):
            shell.console.print(f"     {'':{width}}  next: {finding.remedy}", markup=False)


@verb(render=_render)
def main(shell: Shell) -> Diagnosis:
    """Diagnose the deployment, dependencies first, with a remedy for each problem; exit code 3 on a failure."""
    with shell.steps() as begin:
        return diagnose(shell.aws, begin)
