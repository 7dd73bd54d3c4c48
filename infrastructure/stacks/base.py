"""The base of all stacks: a plain, readable and stable template that any CloudFormation client can create."""

from functools import cached_property

from aws_cdk import BootstraplessSynthesizer, CfnElement, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from stages import Stage

INVISIBLE = ("Resource", "Default")
"""Path components of CDK's own constructs that are left out of logical ids."""


class StageStack(Stack):
    """A stack of one stage, named `<stage>-<noun>`. It needs no bootstrap, and has no assets and no metadata."""

    noun: str

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(
            scope,
            f"{settings.name}-{self.noun}",
            description=f"Score Processor: {self.noun} of the stage {settings.name}",
            synthesizer=BootstraplessSynthesizer(),
            analytics_reporting=False,
            termination_protection=settings.tables.deletion_protection,
        )
        self.settings = settings

    def _allocate_logical_id(self, element: CfnElement) -> str:
        """Return the path of the element without a hash, so that people can refer to it."""
        path = [part for part in element.node.path.split("/")[1:] if part not in INVISIBLE]
        return "".join(part[0].upper() + part[1:] for part in path)

    @cached_property
    def key(self) -> kms.IKey | None:
        """The account's own key for data at rest; None without one. Its policy is not this stack's to change."""
        arn = self.settings.encryption_key
        return kms.Key.from_key_arn(self, "Key", arn) if arn else None

    @property
    def removal_policy(self) -> RemovalPolicy:
        """The removal policy of resources with data."""
        return RemovalPolicy.RETAIN if self.settings.tables.deletion_protection else RemovalPolicy.DESTROY
