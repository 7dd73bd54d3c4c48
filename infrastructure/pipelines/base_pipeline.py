"""The release pipeline of a stage in CodePipeline: from a commit on the stage's branch to the alias."""

from aws_cdk import CfnParameter, Duration, Fn, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_codestarnotifications as notifications
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.pipelines.permissions import statements
from infrastructure.pipelines.steps import PHASES, Phase, Step
from infrastructure.stacks import alarms
from infrastructure.stacks.base import StageStack
from stages import Stage

MACHINE = "debian:12"
"""A plain image, on which only the prerequisites in the README are installed. The stack's creator names its digest."""
NOTIFIED = ("pipeline-execution-failed", "manual-approval-needed")
"""The events of a pipeline of which the topic is notified."""
PREREQUISITES = (
    "apt-get update -qq",
    "apt-get install -qq --no-install-recommends ca-certificates git make python3 python3-venv python3-pip",
    "git config --global --add safe.directory '*'",
)


class BasePipeline(StageStack):
    """Source → test → build and verify → push → compare → shape → deploy, as in `steps.PHASES`."""

    noun = "pipeline"
    branch: str
    approval: bool

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        self._connection = CfnParameter(self, "ConnectionArn", description="The connection to the Git host")
        self._repository = CfnParameter(self, "SourceRepository", description="The Git repository, <owner>/<name>")
        self._machine = CfnParameter(
            self,
            "Machine",
            description=f"The image of every step, by digest: {MACHINE}@sha256:…",
            allowed_pattern=r".+@sha256:[0-9a-f]{64}",
        )
        self._source = codepipeline.Artifact("source")
        pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            pipeline_name=f"score-processor-{settings.name}",
            pipeline_type=codepipeline.PipelineType.V2,
            # A newer commit replaces a waiting one: only the branch's last commit matters.
            execution_mode=codepipeline.ExecutionMode.SUPERSEDED,
            artifact_bucket=self._artifacts(),
        )
        pipeline.add_stage(stage_name="Source", actions=[self._source_action()])
        for phase in PHASES:
            pipeline.add_stage(stage_name=phase.name, actions=self._actions(phase))
        self._notify(pipeline)

    def _notify(self, pipeline: codepipeline.Pipeline) -> None:
        """Notify people of an approval that is needed, and of a release that failed."""
        name = f"score-processor-{self.settings.name}-releases"
        topic = self.settings.alarms.topic
        if not topic:
            topic = alarms.add_topic(self, "ReleaseTopic", name, "codestar-notifications.amazonaws.com").ref
        notifications.CfnNotificationRule(
            self,
            "Notifications",
            name=name,
            resource=pipeline.pipeline_arn,
            detail_type="FULL",
            event_type_ids=[f"codepipeline-pipeline-{event}" for event in NOTIFIED],
            targets=[notifications.CfnNotificationRule.TargetProperty(target_type="SNS", target_address=topic)],
        )

    def _artifacts(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Sources",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(30))],
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _source_action(self) -> actions.CodeStarConnectionsSourceAction:
        owner_and_name = Fn.split("/", self._repository.value_as_string)
        return actions.CodeStarConnectionsSourceAction(
            action_name="source",
            connection_arn=self._connection.value_as_string,
            owner=Fn.select(0, owner_and_name),
            repo=Fn.select(1, owner_and_name),
            branch=self.branch,
            output=self._source,
            # A full clone: an image is labelled with its commit, and an unknown commit is refused.
            code_build_clone_output=True,
        )

    def _actions(self, phase: Phase) -> list[codepipeline.IAction]:
        approvals = [
            actions.ManualApprovalAction(
                action_name="approve",
                run_order=1,
                additional_information="The previous step shows the changes. Approve to apply them and to deploy.",
            )
            for step in phase.steps
            if step.approval and self.approval
        ]
        return [*approvals, *(self._action(step) for step in phase.steps)]

    def _action(self, step: Step) -> codepipeline.IAction:
        return actions.CodeBuildAction(
            action_name=step.name,
            run_order=2,
            input=self._source,
            project=self._project(step),
            variables_namespace=step.name,
            environment_variables={
                "BUILT": codebuild.BuildEnvironmentVariable(value="#{build.IMAGE_DIGEST}"),
                "VERIFIED": codebuild.BuildEnvironmentVariable(value="#{verify.IMAGE_DIGEST}"),
            }
            if '"$BUILT"' in " ".join(step.commands)
            else None,
        )

    def _project(self, step: Step) -> codebuild.PipelineProject:
        project = codebuild.PipelineProject(
            self,
            f"{step.name.capitalize()}Project",
            project_name=f"score-processor-{self.settings.name}-{step.name}",
            description=f"{step.name.capitalize()}: a step of the release to {self.settings.name}",
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.from_docker_registry(self._machine.value_as_string),
                compute_type=codebuild.ComputeType.MEDIUM,
            ),
            environment_variables={
                "STAGE": codebuild.BuildEnvironmentVariable(value=self.settings.name),
            },
            build_spec=codebuild.BuildSpec.from_object(build_spec(step)),
            timeout=Duration.minutes(60),
        )
        for statement in statements(step.rights, self.settings) if step.rights else []:
            project.add_to_role_policy(statement)
        return project


class StagingPipeline(BasePipeline):
    """Releases every commit of the branch `staging`, without approval."""

    branch = "staging"
    approval = False


class ProductionPipeline(BasePipeline):
    """Releases every commit of the branch `main`, after a person has approved the changes."""

    branch = "main"
    approval = True


PIPELINES: dict[str, type[BasePipeline]] = {"staging": StagingPipeline, "production": ProductionPipeline}


def build_spec(step: Step) -> dict[str, object]:
    """Return the build spec of a step, which ends at the first command that fails."""
    return {
        "version": "0.2",
        "env": {"shell": "bash", "exported-variables": ["IMAGE_DIGEST"]},
        "phases": {
            "install": {"commands": list(PREREQUISITES)},
            "build": {"on-failure": "ABORT", "commands": list(step.commands)},
        },
    }
