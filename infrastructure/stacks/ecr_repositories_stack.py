"""The image repository."""

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.stacks import arns
from infrastructure.stacks.base import StageStack
from stages import Stage

NEVER = 100_000
"""More images than a repository can have: a rule with this count expires nothing, and protects what it matches."""
UNTAGGED_DAYS = 14


class EcrRepositoriesStack(StageStack):
    """One repository with immutable tags, scanned on push, whose old images expire unless they were deployed."""

    noun = "repositories"

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        repository = ecr.Repository(
            self,
            "Repository",
            repository_name=settings.repository,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            removal_policy=self.removal_policy,
            empty_on_delete=settings.is_local or None,
        )
        self._add_lifecycle(repository)
        # Lambda fetches the image again whenever it has evicted its copy. Without this policy it asks the caller of
        # CreateFunction to write one, which a release pipeline may not.
        repository.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
                actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                conditions={"StringLike": {"aws:sourceArn": arns.function(settings.function.name)}},
            )
        )

    def _add_lifecycle(self, repository: ecr.Repository) -> None:
        """Add the rules. An image is only subject to the first rule that matches it: the first one protects images."""
        images = self.settings.images
        repository.add_lifecycle_rule(
            rule_priority=1,
            description="Keep images that were deployed: an alias, a version or the ledger may refer to them",
            tag_status=ecr.TagStatus.TAGGED,
            tag_prefix_list=[images.protected_tag_prefix],
            max_image_count=NEVER,
        )
        repository.add_lifecycle_rule(
            rule_priority=2,
            description="Expire untagged images",
            tag_status=ecr.TagStatus.UNTAGGED,
            max_image_age=Duration.days(UNTAGGED_DAYS),
        )
        repository.add_lifecycle_rule(
            rule_priority=3,
            description="Expire images that were never deployed",
            tag_status=ecr.TagStatus.ANY,
            max_image_age=Duration.days(images.expire_after_days),
        )
