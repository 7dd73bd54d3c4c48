"""AWS clients whose timeouts and retries fit into the deadline's reserve, and the translation of their errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from handler import truncated_responses
from handler.exceptions import Misconfigured, Unavailable

if TYPE_CHECKING:
    from boto3.session import Session

_ClientT = TypeVar("_ClientT")
# Three attempts of at most 3 s with their pauses fit into the reserve of 10 s (settings.py).
_CONNECT_TIMEOUT, _READ_TIMEOUT, _ATTEMPTS = 1, 3, 3
LONGEST_POLL = 20  # seconds; SQS's maximum
_TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KmsThrottled",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",  # as a cancellation reason of a transaction
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


def create_client(session: "Session", service: str, long_poll: bool = False, region: str | None = None) -> Any:
    """Create a boto3 client, in the session's region unless another is given, that also retries truncated responses."""
    # The stubs know services by literal names only; the callers give the result its type.
    create: Callable[..., Any] = session.client
    client = create(service, config=configure_client(long_poll), region_name=region)
    truncated_responses.retry_truncated(client, _ATTEMPTS)
    return client


def configure_client(long_poll: bool = False) -> Config:
    """Return the clients' configuration; the read timeout for long polls is longer by the time that SQS may wait.

    All timeouts are seconds. `_ATTEMPTS` times the timeouts must fit into the deadline's reserve, or Lambda would end
    the invocation amid a call.
    """
    return Config(
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT + (LONGEST_POLL if long_poll else 0),
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=32,  # for the threads that score, call and renew leases
        tcp_keepalive=True,
    )


@contextmanager
def calling(operation: str) -> Iterator[None]:
    """Translate the client's errors: transient ones to `Unavailable`, all others to `Misconfigured`.

    `operation` is a verb phrase for the error's message. The service's own message is dropped, since it may quote the
    request.
    """
    try:
        yield
    except ClientError as error:
        codes = list_error_codes(error)
        transient = list(filter(is_transient, codes))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if transient or status >= 500:
            raise Unavailable(f"{operation}: {(transient or codes)[0]}") from None
        raise Misconfigured(f"{operation} was refused: {', '.join(dict.fromkeys(codes))}") from None
    except ParamValidationError as error:
        raise Misconfigured(f"{operation} was not sent: {type(error).__name__}") from None
    except BotoCoreError as error:
        raise Unavailable(f"{operation}: {type(error).__name__}") from None


def read_error_code(error: ClientError) -> str:
    """Return the service's code for an error."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def list_error_codes(error: ClientError) -> list[str]:
    """Return the service's codes for an error: of a cancelled transaction, those of the actions that cancelled it."""
    reasons = error.response.get("CancellationReasons", [])
    codes = [code for reason in reasons if (code := reason.get("Code", "None")) != "None"]
    return codes or [read_error_code(error)]


def is_transient(code: str) -> bool:
    """Return whether the same call may succeed later, according to the error's code."""
    return code in _TRANSIENT


def create_lazy_client(create: Callable[[], _ClientT]) -> _ClientT:
    """Return a stand-in for a client, which is created when its first attribute is read. Thread-safe.

    Creating a client takes tens of milliseconds, and most cold starts use neither S3 nor a long poll.
    """
    return cast("_ClientT", _LazyClient(create))


class _LazyClient:
    def __init__(self, create: Callable[[], object]):
        self._create = create
        self._lock = Lock()
        self._client: object = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._create()
        return getattr(self._client, name)
