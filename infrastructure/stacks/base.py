"""The base of all stacks: a plain, readable and stable template that any CloudFormation client can create."""

from aws_cdk import BootstraplessSynthesizer, CfnElement, RemovalPolicy, Stack
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

    @property
    def removal_policy(self) -> RemovalPolicy:
        """The removal policy of resources with data."""
        return RemovalPolicy.RETAIN if self.settings.tables.deletion_protection else RemovalPolicy.DESTROY
