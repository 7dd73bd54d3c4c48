"""The stacks of a stage, in the order in which they are deployed."""

from infrastructure.stacks.base import StageStack
from infrastructure.stacks.ecr_repositories_stack import EcrRepositoriesStack
from infrastructure.stacks.lambda_score_processor_stack import LambdaScoreProcessorStack
from infrastructure.stacks.scoring_queues_stack import ScoringQueuesStack
from infrastructure.stacks.tables_stack import TablesStack

STACKS: tuple[type[StageStack], ...] = (
    EcrRepositoriesStack,
    TablesStack,
    ScoringQueuesStack,
    LambdaScoreProcessorStack,
)
