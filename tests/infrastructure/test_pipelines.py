import json
import re
from typing import Any

import pytest

from infrastructure.app import PIPELINES, TEMPLATES
from infrastructure.pipelines.steps import PHASES
from tests.infrastructure.templates import Template, as_list, resources

STAGES = ("staging", "production")


def template(stage: str) -> Template:
    """Return a stage's committed pipeline."""
    document: Template = json.loads(
        (TEMPLATES / PIPELINES / f"{stage}-pipeline.template.json").read_text(encoding="utf-8")
    )
    return document


def phases(stage: str) -> list[Any]:
    """Return the stages of the pipeline, in order."""
    (pipeline,) = resources(template(stage), "AWS::CodePipeline::Pipeline").values()
    results: list[Any] = pipeline["Stages"]
    return results


def actions_in_order(stage: str) -> list[str]:
    """Return the names of all actions in the order in which they run."""
    return [
        action["Name"]
        for phase in phases(stage)
        for action in sorted(phase["Actions"], key=lambda one: one["RunOrder"])
    ]


def list_allowed(stage: str, step: str) -> list[tuple[str, str]]:
    """Return action and resource of a step's permissions, except for its own logs, reports and sources."""
    results: list[tuple[str, str]] = []
    for policy in resources(template(stage), "AWS::IAM::Policy").values():
        if policy["Roles"] == [{"Ref": f"{step.capitalize()}ProjectRole"}]:
            for statement in policy["PolicyDocument"]["Statement"]:
                results += [
                    (action, json.dumps(resource))
                    for action in as_list(statement["Action"])
                    for resource in as_list(statement["Resource"])
                ]
    assert results, f"the step {step} has no role"
    own = ("logs:", "codebuild:", "s3:Get", "s3:List", "codestar", "kms:")
    return [(action, resource) for action, resource in results if not action.startswith(own) or "artifacts" in resource]


@pytest.mark.parametrize("stage", STAGES)
def test_a_release_takes_its_phases_in_order(stage: str) -> None:
    """A phase starts after the previous one has succeeded: nothing is pushed untested or deployed unapproved."""
    assert [phase["Name"] for phase in phases(stage)] == ["Source", *(phase.name for phase in PHASES)]


@pytest.mark.parametrize(("stage", "branch"), [("staging", "staging"), ("production", "main")])
def test_each_stage_follows_its_branch(stage: str, branch: str) -> None:
    """Staging is released from `staging`, production from `main`."""
    (source,) = phases(stage)[0]["Actions"]
    assert source["Configuration"]["BranchName"] == branch


def test_production_is_changed_only_after_a_person_agreed() -> None:
    """In production the approval is after the comparison and before the first change; staging has none."""
    order = actions_in_order("production")
    assert order.index("compare") < order.index("approve") < order.index("shape") < order.index("deploy")
    assert "approve" not in actions_in_order("staging")


def test_no_step_waits_for_a_person_at_its_machine() -> None:
    """Each command that asks for a confirmation in a guarded stage has it: a build machine has no terminal."""
    asking = re.compile("make (push|deploy|infra-deploy|config|rollback)\\b")
    commands = [command for phase in PHASES for step in phase.steps for command in step.commands]
    assert {len(asking.findall(command)) for command in commands} == {0, 1}
    assert [command for command in commands if asking.search(command) and " YES=1" not in command] == []


@pytest.mark.parametrize("stage", STAGES)
def test_two_builders_agree_before_a_push(stage: str) -> None:
    """The push compares its digest with those of two builds on two machines."""
    project = resources(template(stage), "AWS::CodeBuild::Project")["PushProject"]
    ran = json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["commands"]
    assert ran.index('test "$BUILT" = "$VERIFIED"') < ran.index("make push YES=1")
    (push,) = next(phase["Actions"] for phase in phases(stage) if phase["Name"] == "Push")
    arguments = {one["name"]: one["value"] for one in json.loads(push["Configuration"]["EnvironmentVariables"])}
    assert arguments == {"BUILT": "#{build.IMAGE_DIGEST}", "VERIFIED": "#{verify.IMAGE_DIGEST}"}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("step", ["test", "build", "verify"])
def test_building_and_testing_may_do_nothing(stage: str, step: str) -> None:
    """A step that runs the code of an unreviewed commit has no permission on the stage."""
    assert list_allowed(stage, step) == []


@pytest.mark.parametrize("stage", STAGES)
def test_comparing_prepares_and_shaping_executes(stage: str) -> None:
    """The step that shows the changes has no permission to make them, and the one that makes them none to choose."""
    reading = ("Describe", "Get", "List", "Query")
    preparing = {action for action, _ in list_allowed(stage, "compare") if not action.split(":")[1].startswith(reading)}
    assert preparing == {"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"}
    shaping = {action for action, _ in list_allowed(stage, "shape") if action.startswith("cloudformation:")}
    assert {action for action in shaping if not action.split(":")[1].startswith(reading)} == {
        "cloudformation:ExecuteChangeSet"
    }
    names = [
        re.findall(r"CHANGE_SET=(\S+ \S+ \S+ \S+)", project["Source"]["BuildSpec"])
        for name, project in resources(template(stage), "AWS::CodeBuild::Project").items()
        if name in ("CompareProject", "ShapeProject")
    ]
    assert len(names) == 2
    assert names[0] == names[1] != []


def test_production_reads_what_staging_has_served() -> None:
    """The deploy of production may query the ledger of staging, and no other table of it."""
    (ledger,) = {resource for _, resource in list_allowed("production", "deploy") if "staging-" in resource}
    assert "table/staging-Deployment" in ledger
    assert not [resource for _, resource in list_allowed("staging", "deploy") if "production-" in resource]


@pytest.mark.parametrize("stage", STAGES)
def test_a_pipeline_cannot_give_itself_rights(stage: str) -> None:
    """A release may only write the roles of the stage's function stack, not those of the pipeline."""
    rights = [right for step in ("push", "compare", "shape", "deploy") for right in list_allowed(stage, step)]
    assert [action for action, _ in rights if "*" in action] == []
    written = [resource for action, resource in rights if action.startswith("iam:")]
    assert written
    assert [resource for resource in written if f"role/{stage}-function-*" not in resource] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_failing_command_ends_the_release(stage: str) -> None:
    """A project stops at the first command that fails, and its phase and the release with it."""
    for project in resources(template(stage), "AWS::CodeBuild::Project").values():
        assert json.loads(project["Source"]["BuildSpec"])["phases"]["build"]["on-failure"] == "ABORT"


@pytest.mark.parametrize("stage", STAGES)
def test_people_learn_of_an_approval_and_of_a_failed_release(stage: str) -> None:
    """The pipeline notifies its topic when it waits for a person, and when an execution has failed."""
    (rule,) = resources(template(stage), "AWS::CodeStarNotifications::NotificationRule").values()
    assert set(rule["EventTypeIds"]) == {
        "codepipeline-pipeline-manual-approval-needed",
        "codepipeline-pipeline-pipeline-execution-failed",
    }
    assert rule["Targets"] == [{"TargetAddress": {"Ref": "ReleaseTopic"}, "TargetType": "SNS"}]
    (policy,) = resources(template(stage), "AWS::SNS::TopicPolicy").values()
    allow, _ = policy["PolicyDocument"]["Statement"]
    assert allow["Principal"] == {"Service": "codestar-notifications.amazonaws.com"}


@pytest.mark.parametrize("stage", STAGES)
def test_every_step_runs_on_an_image_by_digest(stage: str) -> None:
    """The creator of the pipeline names the machine's image, and a tag is refused."""
    pattern = template(stage)["Parameters"]["Machine"]["AllowedPattern"]
    assert re.fullmatch(pattern, "debian:12@sha256:" + "0" * 64)
    assert not re.fullmatch(pattern, "debian:12")
    for project in resources(template(stage), "AWS::CodeBuild::Project").values():
        assert project["Environment"]["Image"] == {"Ref": "Machine"}
