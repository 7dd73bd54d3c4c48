"""The AWS clients of a stage, with timeouts, and the SDK's errors translated to OperationFailed with a remedy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ..checkout import ROOT
from ..console.errors import InvalidStage, NotFound, NotRunning, OperationFailed, TooSlow
from . import truncated_responses
from .stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sts import STSClient

INVOKE_MARGIN_S = 30  # for a cold start, which the function's own timeout does not include
# The local AWS accepts any credentials; the user's own credentials and settings are never read for it.
_NO_FILE, _NOTHING = (None, None, os.devnull, None), (None, None, None, None)
NO_FILES = {"config_file": _NO_FILE, "credentials_file": _NO_FILE, "profile": _NOTHING}


@dataclass(frozen=True)
class Aws:
    """The clients of one stage, each created on first use. They may be shared between threads.

    `endpoint` is None for AWS itself.
    """

    stage: Stage
    endpoint: str | None = None
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _session(self) -> Any:
        # botocore instead of boto3, whose resources and transfers no command uses: its import takes half as long again.
        # Imported here, so that a command that does not use AWS does not wait for it.
        from botocore.session import Session

        session = Session(session_vars=NO_FILES if self.stage.is_local else None)
        session.set_config_variable("region", self.stage.region)
        if self.stage.is_local:
            session.set_credentials("test", "test")
        loader = session.get_component("data_loader")
        _find_by_name(loader)
        if self.endpoint:
            _skip_endpoints(loader, self.stage.region)
        return session

    @overload
    def client(
        self, service: Literal["cloudformation"], *, read_timeout_s: float = 20, attempts: int = 5
    ) -> CloudFormationClient: ...
    @overload
    def client(
        self, service: Literal["cloudwatch"], *, read_timeout_s: float = 20, attempts: int = 5
    ) -> CloudWatchClient: ...
    @overload
    def client(
        self, service: Literal["dynamodb"], *, read_timeout_s: float = 20, attempts: int = 5
    ) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["ecr"], *, read_timeout_s: float = 20, attempts: int = 5) -> ECRClient: ...
    @overload
    def client(self, service: Literal["iam"], *, read_timeout_s: float = 20, attempts: int = 5) -> IAMClient: ...
    @overload
    def client(self, service: Literal["lambda"], *, read_timeout_s: float = 20, attempts: int = 5) -> LambdaClient: ...
    @overload
    def client(
        self, service: Literal["logs"], *, read_timeout_s: float = 20, attempts: int = 5
    ) -> CloudWatchLogsClient: ...
    @overload
    def client(self, service: Literal["s3"], *, read_timeout_s: float = 20, attempts: int = 5) -> S3Client: ...
    @overload
    def client(self, service: Literal["sqs"], *, read_timeout_s: float = 20, attempts: int = 5) -> SQSClient: ...
    @overload
    def client(self, service: Literal["sts"], *, read_timeout_s: float = 20, attempts: int = 5) -> STSClient: ...
    @overload
    def client(self, service: str, *, read_timeout_s: float = 20, attempts: int = 5) -> Any: ...
    def client(self, service: str, *, read_timeout_s: float = 20, attempts: int = 5) -> Any:
        """Return the SDK's client of a service. `attempts` includes the first request; 1 disables retries.

        Clients are cached by service and options. They may be shared by threads; creating one is not thread-safe, so
        that the first call for a service belongs before the threads. `read_timeout_s` limits each wait for data, not
        the whole call. Truncated responses are retried, within the same number of attempts.
        """
        key = f"{service}:{read_timeout_s}:{attempts}"
        if key not in self._made:
            from botocore.config import Config

            config = Config(
                connect_timeout=3,
                read_timeout=read_timeout_s,
                retries={"total_max_attempts": attempts, "mode": "standard"},
                max_pool_connections=32,
                proxies={} if self.stage.is_local else None,  # a proxy cannot reach this machine's loopback
            )
            self._made[key] = self._session.create_client(service, endpoint_url=self.endpoint, config=config)
            truncated_responses.retry_truncated(self._made[key], attempts)
        return self._made[key]

    @property
    def invoker(self) -> LambdaClient:
        """A Lambda client that waits for the function's whole timeout and never retries: invocations have effects."""
        return self.client("lambda", read_timeout_s=self.stage.function.timeout_s + INVOKE_MARGIN_S, attempts=1)

    def queue_url(self, name: str) -> str:
        """Return the URL of a queue; NotFound if it does not exist."""
        client = self.client("sqs")
        try:
            return str(client.get_queue_url(QueueName=name)["QueueUrl"])
        except client.exceptions.QueueDoesNotExist:
            raise NotFound(
                f"there is no queue {name} in stage {self.stage.name}", make("infra-deploy", self.stage)
            ) from None


def _find_by_name(loader: Any) -> None:
    """Make botocore list services by folder name instead of opening 400 folders to find one."""
    folders = [folder for path in loader.search_paths if (folder := Path(path)).is_dir()]
    names = sorted({entry.name for folder in folders for entry in folder.iterdir()})
    loader.list_available_services = lambda _type_name: names


def _skip_endpoints(loader: Any, region: str) -> None:
    """Replace the 1.3 MB that list AWS's endpoints, half of a client's creation, since all calls go to a given one."""
    defaults = {"hostname": "{service}.{region}.{dnsSuffix}", "protocols": ["https"], "signatureVersions": ["v4"]}
    aws = {"partition": "aws", "dnsSuffix": "amazonaws.com", "regionRegex": ".+", "regions": {region: {}}}
    endpoints = {"version": 3, "partitions": [{**aws, "services": {}, "defaults": defaults}]}
    load = loader.load_data_with_path
    loader.load_data_with_path = lambda name: (endpoints, "") if name == "endpoints" else load(name)


def make(target: str, stage: Stage) -> str:
    """Return the command line of make targets for a stage, for a remedy."""
    return f"make {target}" if stage.is_local else f"make {target} STAGE={stage.name}"


def create_clients(stage: Stage, endpoint_url: str | None = None) -> Aws:
    """Return the clients of a stage; NotRunning if it is the local stage and no local AWS runs.

    Nothing is sent: credentials are first looked up by the first call. InvalidStage if the stage file names no
    account. `endpoint_url` replaces the endpoint of every service, also of a stage on AWS.
    """
    if not stage.account:
        raise InvalidStage(
            f"stages/{stage.name}.toml: account is empty",
            "enter the AWS account number there",
        )
    if endpoint_url or not stage.is_local:
        return Aws(stage, endpoint_url)
    return Aws(stage, _local_endpoint())


def _local_endpoint() -> str:
    name = os.environ.get("LOCAL_AWS_NAME", "default")
    home = Path(os.environ.get("LOCAL_AWS_HOME", ROOT / ".local-aws"))
    try:
        instance = json.loads((home / name / "instance.json").read_text(encoding="utf-8"))
        os.kill(int(instance["pid"]), 0)
        return str(instance["endpoint"])
    except PermissionError:  # it runs as another user
        return str(instance["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        which = "" if name == "default" else f" (instance {name!r})"
        raise NotRunning(f"the local AWS{which} is not running", "make local") from None


def read_error_code(error: Any) -> str:
    """Return the error code of a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))


def was_repeated(error: Any) -> bool:
    """Return whether the client sent the refused request more than once: the first may have taken effect unheard."""
    return bool(error.response["ResponseMetadata"].get("RetryAttempts", 0))


@contextmanager
def translate_errors(stage: Stage) -> Iterator[None]:
    """Translate the SDK's errors to OperationFailed, with a remedy for the common error codes.

    OperationFailed passes unchanged, and so does every error that is not the SDK's.
    """
    try:
        yield
    except OperationFailed:
        raise
    except Exception as error:
        explained = explain(error, stage)
        if explained is None:
            raise
        raise explained from error


def explain(error: Exception, stage: Stage) -> OperationFailed | None:
    """Return an error of the SDK as OperationFailed; None if it is not the SDK's."""
    module = type(error).__module__
    if not module.startswith("botocore"):
        return None
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        code = read_error_code(error)
        text = error.response.get("Error", {}).get("Message", "")
        operation = error.operation_name
        return OperationFailed(f"{operation} in stage {stage.name}: {code}: {text}", choose_remedy(code, stage))
    unusable = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
    if isinstance(error, (*unusable, exceptions.SSOError, exceptions.TokenRetrievalError)):
        return OperationFailed(
            f"no AWS credentials for stage {stage.name}: {error}",
            "sign in (aws sso login, AWS_PROFILE=…), then run it again",
        )
    if isinstance(error, exceptions.ReadTimeoutError):
        again = (
            f"run it again; if it stays slow, {make('stop local', stage)}" if stage.is_local else "run it again later"
        )
        return TooSlow(f"stage {stage.name} took the request and did not answer in time: {error}", again)
    if isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError)):
        remedy = "make local" if stage.is_local else "check the network and the region, then run it again"
        return NotRunning(f"stage {stage.name} does not respond: {error}", remedy)
    return OperationFailed(
        f"the AWS SDK rejects the request: {error}", "check the stage file and your AWS configuration"
    )


# AWS's error codes and the next step for each; `{create}` is the command that creates the stage's resources.
# docs/reference/operations.md has the same table, which a test compares.
REMEDIES: dict[tuple[str, ...], str] = {
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired"): (
        "the session has expired: sign in again, then run it again"
    ),
    (
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestTimeTooSkewed",
        "AuthFailure",
    ): "the credentials are invalid: check AWS_PROFILE and this machine's clock, and sign in again",
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"): (
        "request the permission in the message; check that this is the account of {stage} ({account})"
    ),
    (
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
    ): "AWS throttles the requests: wait a minute, then run it again",
    (
        "ResourceNotFoundException",
        "RepositoryNotFoundException",
        "NoSuchBucket",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
    ): "create it: {create}",
}


def choose_remedy(code: str, stage: Stage) -> str:
    """Return the next step after an AWS error code; `make status` for a code without one of its own."""
    create = make("infra-deploy", stage)
    for codes, remedy in REMEDIES.items():
        if code in codes:
            return remedy.format(stage=stage.name, account=stage.account, create=create)
    return f"inspect the stage: {make('status', stage)}"
