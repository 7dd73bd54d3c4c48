"""One stage's AWS: clients with sane timeouts, and the SDK's errors as messages that say what to do next."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ._errors import InvalidStage, NotFound, NotRunning, OperationFailed
from ._stage import ROOT, STAGES, Stage, load_stage

__all__ = ["ROOT", "STAGES", "Aws", "Stage", "clients", "error_code", "load_stage", "translated"]

INVOKE_MARGIN_S = 30
# The local AWS takes any credentials; never the person's own, nor his settings.
_NO_FILE, _NOTHING = (None, None, os.devnull, None), (None, None, None, None)
NO_FILES = {"config_file": _NO_FILE, "credentials_file": _NO_FILE, "profile": _NOTHING}


@dataclass(frozen=True)
class Aws:
    """The clients of one stage, each made when it is first asked for.

    `endpoint` is None for AWS itself. Clients are the SDK's and untyped; they may be shared between threads.
    """

    stage: Stage
    endpoint: str | None = None
    _made: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _session(self) -> Any:
        # The SDK's lower half: boto3 takes another half of its time to import, for what no command uses. Only commands
        # that talk to AWS pay for it.
        from botocore.session import Session

        session = Session(session_vars=NO_FILES if self.stage.is_local else None)
        session.set_config_variable("region", self.stage.region)
        if self.stage.is_local:
            session.set_credentials("test", "test")
        _find_by_name(session.get_component("data_loader"))
        return session

    def client(self, service: str, *, read_timeout_s: float = 20, attempts: int = 5) -> Any:
        """Return the SDK's client of a service."""
        key = f"{service}:{read_timeout_s}:{attempts}"
        if key not in self._made:
            from botocore.config import Config

            from handler import cut_answers

            config = Config(
                connect_timeout=3,
                read_timeout=read_timeout_s,
                retries={"total_max_attempts": attempts, "mode": "standard"},
                max_pool_connections=32,
                proxies={} if self.stage.is_local else None,  # no proxy leads to this machine's own ports
            )
            self._made[key] = self._session.create_client(service, endpoint_url=self.endpoint, config=config)
            cut_answers.ask_again(self._made[key], attempts)
        return self._made[key]

    @property
    def invoker(self) -> Any:
        """A Lambda client that waits as long as the function may run, and never asks twice."""
        return self.client("lambda", read_timeout_s=self.stage.function.timeout_s + INVOKE_MARGIN_S, attempts=1)

    def queue_url(self, name: str) -> str:
        """Return the URL of a queue; NotFound when there is none of that name."""
        client = self.client("sqs")
        try:
            return str(client.get_queue_url(QueueName=name)["QueueUrl"])
        except client.exceptions.QueueDoesNotExist:
            raise NotFound(
                f"there is no queue {name} in stage {self.stage.name}", make("infra-deploy", self.stage)
            ) from None

    def dead_letter_url(self, queue_url: str) -> str | None:
        """Return the URL of a queue's dead-letter queue, as its redrive policy names it."""
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
        arn = policy.get("deadLetterTargetArn")
        return self.queue_url(arn.rsplit(":", 1)[-1]) if arn else None


def _find_by_name(loader: Any) -> None:
    """Let the SDK know services by the names of their folders; it would look into four hundred for the one it needs."""
    folders = [folder for path in loader.search_paths if (folder := Path(path)).is_dir()]
    names = sorted({entry.name for folder in folders for entry in folder.iterdir()})
    loader.list_available_services = lambda _type_name: names


def make(target: str, stage: Stage) -> str:
    """Return the command line of a make target for a stage, as the texts of errors name it."""
    return f"make {target}" if stage.is_local else f"make {target} STAGE={stage.name}"


def clients(stage: Stage, endpoint_url: str | None = None) -> Aws:
    """Return the clients of a stage; NotRunning when the local AWS that it needs is not there."""
    if not stage.account:
        raise InvalidStage(
            f"stages/{stage.name}.toml: account is empty, so there is nothing to act on",
            "fill in the number of the AWS account",
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
    except PermissionError:
        return str(instance["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        which = "" if name == "default" else f" (instance {name!r})"
        raise NotRunning(f"the local AWS{which} is not running", "make local") from None


def error_code(error: Any) -> str:
    """Return the code of a botocore ClientError, as AWS spells it."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(stage: Stage) -> Iterator[None]:
    """Turn the SDK's errors into OperationFailed, with the step that helps for the codes people meet."""
    try:
        yield
    except OperationFailed:
        raise
    except Exception as error:
        told = explain(error, stage)
        if told is None:
            raise
        raise told from error


def explain(error: Exception, stage: Stage) -> OperationFailed | None:
    """Return what to tell about an error of the SDK; None when it is not one."""
    module = type(error).__module__
    if not module.startswith("botocore"):
        return None
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        code = error_code(error)
        text = error.response.get("Error", {}).get("Message", "")
        operation = error.operation_name
        return OperationFailed(f"{operation} in stage {stage.name}: {code}: {text}", _remedy(code, stage))
    nobody = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
    if isinstance(error, (*nobody, exceptions.SSOError, exceptions.TokenRetrievalError)):
        return OperationFailed(
            f"no AWS credentials for stage {stage.name}: {error}",
            "sign in as your account asks (aws sso login, AWS_PROFILE=…), then run it again",
        )
    if isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError)):
        remedy = "make local" if stage.is_local else "check the network and the region, then run it again"
        return NotRunning(f"no answer from {stage.name}: {error}", remedy)
    return OperationFailed(f"the AWS SDK refuses: {error}", "check the stage file and your AWS configuration")


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_BAD_KEYS = (
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "RequestTimeTooSkewed",
    "AuthFailure",
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_BUSY = (
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
)
_ABSENT = (
    "ResourceNotFoundException",
    "RepositoryNotFoundException",
    "NoSuchBucket",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
)


def _remedy(code: str, stage: Stage) -> str:
    if code in _EXPIRED:
        return "your session has expired: sign in again, then run the command again"
    if code in _BAD_KEYS:
        return "the credentials are not valid here: check AWS_PROFILE, sign in again; a wrong clock does this too"
    if code in _DENIED:
        return f"ask for the permission that the message names; is this the account of {stage.name} ({stage.account})?"
    if code in _BUSY:
        return "AWS is limiting the rate: wait a minute, then run the command again"
    if code in _ABSENT:
        return f"create it: {make('infra-deploy', stage)}"
    return f"what is there: {make('status', stage)}"
