"""What every stack has in common: a plain template that any CloudFormation client can create, readable and stable."""

from aws_cdk import BootstraplessSynthesizer, CfnElement, RemovalPolicy, Stack
from constructs import Construct

from stages import Stage

INVISIBLE = ("Resource", "Default")
"""Path components that CDK's own constructs add and a reader does not need."""


class StageStack(Stack):
    """A stack of one stage, named `<stage>-<noun>`; needs no bootstrap, holds no asset and no metadata."""

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
        """The path of the element, without a hash: an identifier that a person can name."""
        path = [part for part in element.node.path.split("/")[1:] if part not in INVISIBLE]
        return "".join(part[0].upper() + part[1:] for part in path)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of data when its resource leaves the template."""
        return RemovalPolicy.RETAIN if self.settings.tables.deletion_protection else RemovalPolicy.DESTROY
