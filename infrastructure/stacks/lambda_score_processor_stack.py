"""The function: its role, log group, alias, event source mapping, sweep, alarms and dashboard.

The image is a parameter. The version that the alias points at is changed by the deploy only, never by this template.
"""

from aws_cdk import CfnParameter
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.stacks import alarms, arns, dashboard
from infrastructure.stacks.base import StageStack
from infrastructure.stacks.environment import variables
from infrastructure.stacks.policy import worker_policy
from stages import Stage


class LambdaScoreProcessorStack(StageStack):
    """The function with a least-privilege role, and an alias that the event source mapping invokes."""

    noun = "function"

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        log_group = logs.CfnLogGroup(
            self,
            "LogGroup",
            log_group_name=settings.log_group,
            retention_in_days=settings.retention_days,
            kms_key_id=settings.encryption_key or None,
        )
        log_group.apply_removal_policy(self.removal_policy)
        role = iam.Role(
            self,
            "Role",
            description=f"The permissions of {settings.function.name}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"worker": worker_policy(settings)},
        )
        function = self._function(role, log_group)
        alias = self._alias(function)
        self._event_source_mapping(alias)
        if settings.sweep.every_minutes:
            self._sweep(alias)
        alarms.add(self)
        dashboard.add(self)

    def _function(self, role: iam.Role, log_group: logs.CfnLogGroup) -> lambda_.CfnFunction:
        image_uri = CfnParameter(
            self,
            "ImageUri",
            type="String",
            allowed_pattern=r".+@sha256:[0-9a-f]{64}",
            description="The image with which the function is created; make deploy changes it later",
            constraint_description="an image by digest: <registry>/<repository>@sha256:<64 hex digits>",
        )
        shape = self.settings.function
        function = lambda_.CfnFunction(
            self,
            "Function",
            function_name=shape.name,
            description="Scores texts with Plexus scorecards",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri=image_uri.value_as_string),
            role=role.role_arn,
            kms_key_arn=self.settings.encryption_key or None,
            architectures=["x86_64"],
            memory_size=shape.memory_mb,
            timeout=shape.timeout_s,
            ephemeral_storage=lambda_.CfnFunction.EphemeralStorageProperty(size=shape.ephemeral_mb),
            reserved_concurrent_executions=shape.reserved_concurrency,
            tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode=shape.tracing_mode),
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=variables(self.settings)),
        )
        # Otherwise Lambda creates the group on the first invocation, without a retention period.
        function.add_resource_dependency(log_group)
        return function

    def _alias(self, function: lambda_.CfnFunction) -> lambda_.CfnAlias:
        """Create the alias at $LATEST.

        CloudFormation only updates properties that change in the template. Changing one of these would move the alias.
        """
        return lambda_.CfnAlias(
            self, "Alias", function_name=function.ref, function_version="$LATEST", name=self.settings.function.alias
        )

    def _event_source_mapping(self, alias: lambda_.CfnAlias) -> None:
        source = self.settings.event_source
        lambda_.CfnEventSourceMapping(
            self,
            "EventSourceMapping",
            function_name=alias.ref,
            event_source_arn=arns.queue(self.settings.queues.request),
            enabled=source.enabled,
            batch_size=source.batch_size,
            maximum_batching_window_in_seconds=source.maximum_batching_window_s,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=source.maximum_concurrency
            ),
        )

    def _sweep(self, alias: lambda_.CfnAlias) -> None:
        """Add the schedule that sends the responses which a crash left unsent."""
        minutes = self.settings.sweep.every_minutes
        rule = events.CfnRule(
            self,
            "SweepRule",
            description="Sends the responses that a crash left in the outbox",
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            targets=[events.CfnRule.TargetProperty(arn=alias.ref, id="sweep", input='{"source":"sweep"}')],
        )
        lambda_.CfnPermission(
            self,
            "SweepPermission",
            action="lambda:InvokeFunction",
            function_name=alias.ref,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
