"""The function's environment: what the stage file says, and the names of what it works with."""

from aws_cdk import Fn

from stages import Stage


def variables(settings: Stage) -> dict[str, str]:
    """Variable → value: a literal, or a `Fn::Sub` of nothing but region and account, so that anyone can resolve it."""
    queues = settings.queues
    return {
        **settings.function.environment,
        "PLEXUS_ACCOUNT_KEY": settings.account_key,
        "PLEXUS_ARTIFACT_BUCKET": settings.bucket,
        "PLEXUS_RESPONSE_WORKER_QUEUE_URL": queue_url(queues.response),
        "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL": queue_url(queues.request_dead_letters),
        "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL": queue_url(queues.request),
        "PLEXUS_TABLE_PREFIX": settings.tables.prefix,
    }


def queue_url(name: str) -> str:
    """A queue's URL, as SQS itself forms it."""
    return Fn.sub(f"https://sqs.${{AWS::Region}}.amazonaws.com/${{AWS::AccountId}}/{name}")
