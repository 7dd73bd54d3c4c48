"""The function's environment variables: those of the stage file, and the names of its resources."""

from aws_cdk import Fn

from stages import Stage


def variables(settings: Stage) -> dict[str, str]:
    """Return variable → value: a literal, or a `Fn::Sub` of region and account, which `make config` can resolve."""
    queues = settings.queues
    return {
        **settings.function.environment,
        "PLEXUS_ACCOUNT_KEY": settings.account_key,
        "PLEXUS_ARTIFACT_BUCKET": settings.bucket,
        "PLEXUS_RESPONSE_WORKER_QUEUE_URL": queue_url(queues.response),
        "PLEXUS_SCORING_WORKER_DEAD_LETTER_QUEUE_URL": queue_url(queues.request_dead_letters),
        "PLEXUS_SCORING_WORKER_REQUEST_STANDARD_QUEUE_URL": queue_url(queues.request),
        **settings.table_variables,
    }


def queue_url(name: str) -> str:
    """Return the URL of a queue, in the form that SQS uses."""
    return Fn.sub(f"https://sqs.${{AWS::Region}}.amazonaws.com/${{AWS::AccountId}}/{name}")
