"""How jobs come in and results are announced: two queues, each with its dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.stacks import arns
from infrastructure.stacks.base import StageStack
from stages import Stage

RETENTION = Duration.days(14)
"""SQS's longest: a message survives a long weekend and the search for the cause."""
LONG_POLL = Duration.seconds(10)


class ScoringQueuesStack(StageStack):
    """Request and response queue, encrypted, each with a dead-letter queue that accepts only its own source."""

    noun = "queues"

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        queues = settings.queues
        self._add_pair(
            "Request", queues.request, queues.request_dead_letters, Duration.seconds(queues.visibility_timeout_s)
        )
        self._add_pair("Response", queues.response, queues.response_dead_letters, Duration.seconds(60))

    def _add_pair(self, noun: str, name: str, dead_letters_name: str, visibility: Duration) -> None:
        dead_letters = sqs.Queue(
            self,
            f"{noun}DeadLetterQueue",
            queue_name=dead_letters_name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=RETENTION,
            removal_policy=self.removal_policy,
        )
        # By name, not by reference: the two queues would otherwise have to be made before each other.
        source_arn = arns.queue(name)
        policy = dead_letters.node.default_child
        assert isinstance(policy, sqs.CfnQueue)
        policy.redrive_allow_policy = {"redrivePermission": "byQueue", "sourceQueueArns": [source_arn]}
        sqs.Queue(
            self,
            f"{noun}Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=RETENTION,
            removal_policy=self.removal_policy,
            receive_message_wait_time=LONG_POLL,
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead_letters, max_receive_count=self.settings.queues.max_receive_count
            ),
        )
