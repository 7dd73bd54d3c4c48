"""Where images are kept until a function runs them."""

from aws_cdk import Duration
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infrastructure.stacks.base import StageStack
from stages import Stage

NEVER = 100_000
"""More images than a repository may hold: a rule that counts to here expires nothing, and shields what it matches."""
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

    def _add_lifecycle(self, repository: ecr.Repository) -> None:
        """What a rule has matched is out of reach of the rules after it: the first one shields deployed images."""
        images = self.settings.images
        repository.add_lifecycle_rule(
            rule_priority=1,
            description="Keep whatever was deployed: an alias, a version or the ledger may name it",
            tag_status=ecr.TagStatus.TAGGED,
            tag_prefix_list=[images.protected_tag_prefix],
            max_image_count=NEVER,
        )
        repository.add_lifecycle_rule(
            rule_priority=2,
            description="Expire what no tag names any more",
            tag_status=ecr.TagStatus.UNTAGGED,
            max_image_age=Duration.days(UNTAGGED_DAYS),
        )
        repository.add_lifecycle_rule(
            rule_priority=3,
            description="Expire builds that were never deployed",
            tag_status=ecr.TagStatus.ANY,
            max_image_age=Duration.days(images.expire_after_days),
        )
