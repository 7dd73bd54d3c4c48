import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from infrastructure.pipelines.steps import PHASES

WORKFLOWS = Path(__file__).resolve().parents[3] / ".github/workflows"
TO_THE_RUNNER = 'echo "digest=$IMAGE_DIGEST" >> "$GITHUB_OUTPUT"'


def jobs() -> dict[str, Any]:
    """Return the jobs of the release workflow."""
    document: dict[str, Any] = YAML(typ="safe").load(WORKFLOWS / "deploy.yml")["jobs"]
    return document


def commands(job: dict[str, Any]) -> list[str]:
    """Return the release commands of a job: the lines of its last step."""
    return [line for line in job["steps"][-1]["run"].splitlines() if line != TO_THE_RUNNER]


def test_the_workflow_runs_the_steps_of_the_pipelines() -> None:
    """CodePipeline and GitHub Actions run the same release commands in the same order."""
    steps = [step for phase in PHASES for step in phase.steps]
    assert {step.name: list(step.commands) for step in steps} == {name: commands(job) for name, job in jobs().items()}


def test_each_job_waits_for_the_phase_before_it() -> None:
    """A job needs every step of the previous phase."""
    jobs_by_name = jobs()
    for earlier, later in itertools.pairwise(PHASES):
        for step in later.steps:
            assert {one.name for one in earlier.steps} <= set(jobs_by_name[step.name]["needs"])


def test_a_job_takes_a_role_only_where_its_step_has_rights() -> None:
    """A job may request an identity exactly if its step uses AWS, and assumes the role with its permissions."""
    jobs_by_name = jobs()
    for step in (step for phase in PHASES for step in phase.steps):
        roles = [
            one["with"]["role-to-assume"]
            for one in jobs_by_name[step.name]["steps"]
            if "configure-aws" in one.get("uses", "")
        ]
        assert ("id-token" in jobs_by_name[step.name]["permissions"]) == (step.rights is not None)
        assert [re.findall(r"PRODUCTION_(\w+)_ROLE_ARN", role) for role in roles] == (
            [[step.rights.upper()]] if step.rights else []
        )


def test_a_person_agrees_before_production_changes() -> None:
    """The first job that changes the stage runs in the environment with reviewers."""
    jobs_by_name = jobs()
    asked = {step.name for phase in PHASES for step in phase.steps if step.approval}
    assert {name for name, job in jobs_by_name.items() if "environment" in job} == asked


def test_every_job_runs_on_the_same_image_by_digest() -> None:
    """The jobs hold credentials, and a tag can be replaced."""
    containers = [job["container"] for job in jobs().values()]
    images = {container if isinstance(container, str) else container["image"] for container in containers}
    assert len(images) == 1
    assert re.fullmatch(r"debian@sha256:[0-9a-f]{64}", images.pop())


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """Every third-party action is pinned by commit, with its version in a comment, and no key is stored."""
    text = path.read_text(encoding="utf-8")
    for line in re.findall(r"uses: .*", text):
        assert re.fullmatch(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert "secrets." not in text
