"""The ranges and names that AWS accepts, from its API references and quotas."""

import re

MEMORY_MB = range(128, 10_241)
TIMEOUT_S = range(1, 901)
EPHEMERAL_MB = range(512, 10_241)
VISIBILITY_TIMEOUT_S = range(43_201)
MAX_RECEIVE_COUNT = range(1, 1_001)
BATCH_SIZE = range(1, 10_001)
BATCH_SIZE_WITHOUT_WINDOW = 10
BATCHING_WINDOW_S = range(301)
MAXIMUM_CONCURRENCY = range(2, 1_001)
RESERVED_CONCURRENCY = range(1, 100_001)
EXPIRE_AFTER_DAYS = range(1, 3_651)
RECORD_DAYS = range(3_651)
EXPIRES = "expiresAt"  # the attribute of records that expire, which a test compares with handler/records.py
LEAST_RECORD_DAYS = 22
"""A message waits up to 7 days, and its dead letter up to 14: a redrive of the last day still needs the job."""
SWEEP_MINUTES = range(1_441)
COST_USD_PER_HOUR = range(1, 100_001)
FAILED_PERCENT = range(1, 101)
SYNTHETIC_JOBS = range(1_001)
OLDEST_MESSAGE_S = range(60, 1_209_601)
VISIBILITY_PER_TIMEOUT = 6
"""AWS's minimum for visibility timeout / function timeout: with less, throttled batches are delivered twice."""

RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}|")
ACCOUNT = re.compile(r"\d{12}|")
REPOSITORY = re.compile(r"(?=.{2,256}$)[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
FUNCTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
ALIAS = re.compile(r"(?!\d+$)[A-Za-z0-9_-]{1,128}")
QUEUE = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+")
TABLE_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,200}")
AMPLIFY = re.compile(r"[A-Za-z0-9]{1,64}-[A-Za-z0-9]{1,64}")
INDEX = re.compile(r"[A-Za-z0-9_.-]{3,255}")
BUCKET = re.compile(r"(?=.{3,63}$)[a-z0-9][a-z0-9-]*[a-z0-9]")
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
NOTIFY = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https://\S+")
ACCOUNT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_MODEL = (
    r"arn:aws[a-z-]*:bedrock:[a-z0-9-]+:(\d{12})?:"
    r"(foundation-model|(application-)?inference-profile|provisioned-model|imported-model)/[\w.:-]+"
)
MODELS = re.compile(f"{_MODEL}(?: +{_MODEL})*")
REACH = re.compile(r"\*|[A-Za-z0-9.-]+:\d{1,5}(?: +[A-Za-z0-9.-]+:\d{1,5})*")
TAG_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}")

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
