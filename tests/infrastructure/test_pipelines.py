import json
from typing import Any

import pytest

from infrastructure.app import PIPELINES, TEMPLATES
from infrastructure.pipelines.steps import PHASES
from tests.infrastructure.templates import Template, listed, resources

STAGES = ("staging", "production")


def template(stage: str) -> Template:
    """A stage's committed pipeline."""
    found: Template = json.loads(
        (TEMPLATES / PIPELINES / f"{stage}-pipeline.template.json").read_text(encoding="utf-8")
    )
    return found


def phases(stage: str) -> list[Any]:
    """The pipeline's own stages, in order."""
    (pipeline,) = resources(template(stage), "AWS::CodePipeline::Pipeline").values()
    found: list[Any] = pipeline["Stages"]
    return found


def actions_in_order(stage: str) -> list[str]:
    """The names of all actions as they would run."""
    return [
        action["Name"]
        for phase in phases(stage)
        for action in sorted(phase["Actions"], key=lambda one: one["RunOrder"])
    ]


def allowed(stage: str, step: str) -> list[tuple[str, str]]:
    """Action and resource of all that a step's project may do, but for its own logs, reports and sources."""
    found: list[tuple[str, str]] = []
    for policy in resources(template(stage), "AWS::IAM::Policy").values():
        if policy["Roles"] == [{"Ref": f"{step.capitalize()}ProjectRole"}]:
            for statement in policy["PolicyDocument"]["Statement"]:
                found += [
                    (action, json.dumps(resource))
                    for action in listed(statement["Action"])
                    for resource in listed(statement["Resource"])
                ]
    assert found, f"the step {step} has no role"
    own = ("logs:", "codebuild:", "s3:Get", "s3:List", "codestar", "kms:")
    return [(action, resource) for action, resource in found if not action.startswith(own) or "artifacts" in resource]


@pytest.mark.parametrize("stage", STAGES)
def test_a_release_takes_its_phases_in_order(stage: str) -> None:
    """A phase starts when the one before has succeeded: nothing is pushed untested, nothing deployed unagreed."""
    assert [phase["Name"] for phase in phases(stage)] == ["Source", *(phase.name for phase in PHASES)]


@pytest.mark.parametrize(("stage", "branch"), [("staging", "staging"), ("production", "main")])
def test_each_stage_follows_its_branch(stage: str, branch: str) -> None:
    """Staging is released from `staging`, production from `main`."""
    (source,) = phases(stage)[0]["Actions"]
    assert source["Configuration"]["BranchName"] == branch


def test_production_is_changed_only_after_a_person_agreed() -> None:
    """In production an approval stands after the comparison and before the first change; staging asks nobody."""
    order = actions_in_order("production")
    assert order.index("compare") < order.index("approve") < order.index("shape") < order.index("deploy")
    assert "approve" not in actions_in_order("staging")


@pytest.mark.parametrize("stage", STAGES)
def test_two_builders_agree_before_a_push(stage: str) -> None:
    """The push compares the digests of two builds made on two machines with its own."""
    project = resources(template(stage), "AWS::CodeBuild::Project")["PushProject"]
    ran = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    assert ran.index('test "$BUILT" = "$VERIFIED"') < ran.index("make push")
    (push,) = next(phase["Actions"] for phase in phases(stage) if phase["Name"] == "Push")
    given = {one["name"]: one["value"] for one in json.loads(push["Configuration"]["EnvironmentVariables"])}
    assert given == {"BUILT": "#{build.IMAGE_DIGEST}", "VERIFIED": "#{verify.IMAGE_DIGEST}"}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("step", ["test", "build", "verify"])
def test_building_and_testing_may_do_nothing(stage: str, step: str) -> None:
    """What runs the code of a commit before anyone looked at it has no right on the stage."""
    assert allowed(stage, step) == []


@pytest.mark.parametrize("stage", STAGES)
def test_comparing_only_reads(stage: str) -> None:
    """The step that shows what would change can change nothing."""
    assert allowed(stage, "compare")
    assert all(action.split(":")[1].startswith(("Describe", "Get", "List")) for action, _ in allowed(stage, "compare"))


@pytest.mark.parametrize("stage", STAGES)
def test_a_pipeline_cannot_give_itself_rights(stage: str) -> None:
    """The roles that a release may write are those of the stage's function stack, which the pipeline's own are not."""
    rights = [right for step in ("push", "compare", "shape", "deploy") for right in allowed(stage, step)]
    assert [action for action, _ in rights if "*" in action] == []
    written = [resource for action, resource in rights if action.startswith("iam:")]
    assert written
    assert [resource for resource in written if f"role/{stage}-function-*" not in resource] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_failing_command_ends_the_release(stage: str) -> None:
    """A project stops at the first command that fails, and its phase and the release with it."""
    for project in resources(template(stage), "AWS::CodeBuild::Project").values():
        assert json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["on-failure"] == "ABORT"
