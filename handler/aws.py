"""How the worker calls AWS: time limits and retries that fit the deadline's reserve, errors in this package's words."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from handler import cut_answers
from handler.exceptions import Misconfigured, Unavailable

# Three attempts of at most 3 s with their pauses fit into the reserve of 10 s (settings.py).
_CONNECT_TIMEOUT, _READ_TIMEOUT, _ATTEMPTS = 1, 3, 3
LONGEST_POLL = 20  # seconds that SQS waits for a message at most
_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KmsThrottled",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",  # among the reasons of a transaction
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def client(session: Any, service: str, long_poll: bool = False, region: str | None = None) -> Any:
    """A client of a boto3 session, of its region or another, which also tries again where an answer was cut short."""
    made = session.client(service, config=config(long_poll), region_name=region)
    cut_answers.ask_again(made, _ATTEMPTS)
    return made


def config(long_poll: bool = False) -> Config:
    """The clients' configuration; a long poll answers later than any other call."""
    return Config(
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT + (LONGEST_POLL if long_poll else 0),
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=16,
        tcp_keepalive=True,
    )


@contextmanager
def calling(operation: str) -> Iterator[None]:
    """Translates what the client raises to `Unavailable` or `Misconfigured`; service messages are not quoted."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _TRANSIENT or status >= 500:
            raise Unavailable(f"{operation}: {code}") from None
        raise Misconfigured(f"{operation} was refused: {code}") from None
    except ParamValidationError as error:
        raise Misconfigured(f"{operation} was not sent: {type(error).__name__}") from None
    except BotoCoreError as error:
        raise Unavailable(f"{operation}: {type(error).__name__}") from None


def code_of(error: ClientError) -> str:
    """AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def is_transient(code: str) -> bool:
    """Whether a code says that the same call may succeed later."""
    return code in _TRANSIENT


class Deferred:
    """A client that is made when it is first used: most invocations need no S3 and no long poll."""

    def __init__(self, make: Callable[[], Any]):
        self._make = make
        self._lock = Lock()
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._make()
        return getattr(self._client, name)
