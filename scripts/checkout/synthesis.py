"""Synthesize the templates of a stage, as `make infra` does for all stages."""

from __future__ import annotations

import subprocess

from ..console.errors import OperationFailed
from . import ROOT

ENVIRONMENT = ROOT / "build" / "infrastructure-venv"


def synthesize(stage: str) -> None:
    """Write the stage's templates from its file; OperationFailed, with the last line of the tool, if that fails.

    Replaces the files of this stage below `infrastructure/templates/`. The environment is made on the first call,
    which needs the network.
    """
    steps = (
        [str(ROOT / "nix" / "python"), "-m", "nix.environments", "create", "infrastructure", str(ENVIRONMENT)],
        [str(ENVIRONMENT / "bin" / "python"), "-m", "infrastructure.app", stage],
    )
    for command in steps:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise OperationFailed(f"the templates of stage {stage} could not be synthesized: {last}", "make infra")
