"""The request queue and the response queue, each with its dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.stacks import arns
from infrastructure.stacks.base import StageStack
from stages import Stage

RETENTION = Duration.days(7)
"""A message survives a long weekend, and the search for the cause."""
DEAD_LETTER_RETENTION = Duration.days(14)
"""SQS's maximum. A letter keeps the time at which it was first sent, so its queue must retain it for longer."""
LONG_POLL = Duration.seconds(10)
NO_DELAY = Duration.seconds(0)
"""SQS's default, named so that a delay that was set by hand is drift, which a stack update reverts."""


class ScoringQueuesStack(StageStack):
    """Both queues are encrypted, and each dead-letter queue accepts messages of its own source only."""

    noun = "queues"

    def __init__(self, scope: Construct, settings: Stage) -> None:
        super().__init__(scope, settings)
        queues = settings.queues
        self._add_pair(
            "Request", queues.request, queues.request_dead_letters, Duration.seconds(queues.visibility_timeout_s)
        )
        self._add_pair("Response", queues.response, queues.response_dead_letters, Duration.seconds(60))

    def _add_pair(self, noun: str, name: str, dead_letters_name: str, visibility: Duration) -> None:
        encryption = sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED
        dead_letters = sqs.Queue(
            self,
            f"{noun}DeadLetterQueue",
            queue_name=dead_letters_name,
            encryption=encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            delivery_delay=NO_DELAY,
            retention_period=DEAD_LETTER_RETENTION,
            removal_policy=self.removal_policy,
        )
        # By name, since references in both directions would be circular.
        source_arn = arns.queue(name)
        policy = dead_letters.node.default_child
        assert isinstance(policy, sqs.CfnQueue)
        policy.redrive_allow_policy = {"redrivePermission": "byQueue", "sourceQueueArns": [source_arn]}
        sqs.Queue(
            self,
            f"{noun}Queue",
            queue_name=name,
            encryption=encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            delivery_delay=NO_DELAY,
            retention_period=RETENTION,
            removal_policy=self.removal_policy,
            receive_message_wait_time=LONG_POLL,
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead_letters, max_receive_count=self.settings.queues.max_receive_count
            ),
        )
