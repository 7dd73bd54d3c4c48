"""A local AWS for the whole session, on ports of its own, and a small image whose function does what tests ask."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from localstack_client.session import Session

from local_aws import control, instance
from local_aws.instance import Instance
from local_aws.status import ask
from tests.e2e.registry import push
from tests.e2e.small_image import small_image

if TYPE_CHECKING:
    from tests.e2e.staged import Staged

REGION = "us-west-2"
Clients = Callable[[str], Any]
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Demo:
    """A demo that was run: the instance that it left running, and what it printed."""

    name: str
    said: str

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of `score-processor` on the demo's instance."""
        return run(self.name, *words)


def run(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb of `score-processor` on an instance, in the local stage."""
    environment = {**os.environ, "LOCAL_AWS_NAME": name, "STAGE": "local"}
    return subprocess.run(
        [sys.executable, "-m", "scripts", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )


@contextmanager
def run_demo(name: str) -> Iterator[Demo]:
    """Do the main job as `make demo` does, on a new instance that records which calls the function makes."""
    name = f"test-{os.getpid()}-{name}"
    try:
        ask(control.start(name), "/_local_aws/calls", {"record": True})
        done = run(name, "demo")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Demo(name, done.stdout)
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """A demo for tests that leave its tables, scores and event source as they were, and only ever add to the rest."""
    with run_demo("demo") as result:
        yield result


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Staged"]:
    """The local stage with a first deploy, for tests that leave its resources and the first image's release behind."""
    from scripts.release import deployment
    from tests.e2e.staged import start_staged

    with start_staged("released", tmp_path_factory.mktemp("images")) as result:
        deployment.deploy(result.aws, result.image("first"), commit="1" * 40)
        yield result


@pytest.fixture(scope="session")
def local_aws() -> Iterator[Instance]:
    """A running instance of this session's own; commands started by tests find it by LOCAL_AWS_NAME."""
    sweep()
    name = f"test-{os.getpid()}"
    before = os.environ.get("LOCAL_AWS_NAME")
    os.environ["LOCAL_AWS_NAME"] = name
    try:
        yield control.start(name)
    finally:
        control.stop(name)
        shutil.rmtree(instance.locate_folder(name), ignore_errors=True)
        os.environ.pop("LOCAL_AWS_NAME")
        if before is not None:
            os.environ["LOCAL_AWS_NAME"] = before


def sweep() -> None:
    """Remove instances of test sessions that were killed."""
    for name in instance.list_names():
        prefix, pid, *_ = [*name.split("-"), ""]
        if prefix == "test" and pid.isdecimal() and not Path("/proc", pid).exists():
            control.stop(name)
            shutil.rmtree(instance.locate_folder(name), ignore_errors=True)


@pytest.fixture(scope="session")
def aws(local_aws: Instance) -> Clients:
    """`aws("sqs")`: a client of a service of the session's local AWS, which fails at once instead of retrying."""
    created: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in created:
            created[service] = make_client(local_aws, service)
        return created[service]

    return client


def make_client(running: Instance, service: str) -> Any:
    """Create a client of an instance, as users of localstack-client do."""
    host = running.endpoint.removeprefix("http://")
    session = Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION, localstack_host=host)
    client = session.client(
        service,
        config=Config(retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=64, proxies={}),
    )
    client.meta.events.register("before-send", close_after_answer)
    return client


def close_after_answer(request: AWSPreparedRequest, **_: object) -> None:
    """Ask the server to close the connection, since a kept one that it closes while a request leaves is an error.

    Other clients retry then; a client that fails at once must not meet it.
    """
    request.headers["Connection"] = "close"


@pytest.fixture(scope="session")
def login(local_aws: Instance) -> tuple[str, str]:
    """User and password of the registry."""
    return login_to(local_aws)


def login_to(running: Instance) -> tuple[str, str]:
    """Return user and password of an instance's registry."""
    output = make_client(running, "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(output).decode().partition(":")
    return user, password


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout of the image's own Python, the runtime client, boto3 and the test function."""
    return small_image(tmp_path_factory.mktemp("image") / "layout")


@pytest.fixture(scope="session")
def guarantees(local_aws: Instance) -> dict[str, Any]:
    """What this machine's engine promises; tests that need a promise skip by its name."""
    return local_aws.guarantees


@pytest.fixture(scope="session")
def image_uri(local_aws: Instance, layout: Path) -> str:
    """The test image in a repository of its own, as a URI by digest."""
    return push_image(local_aws, layout)


def push_image(running: Instance, layout: Path) -> str:
    """Push the test image into a repository of its own; returns its URI by digest."""
    make_client(running, "ecr").create_repository(repositoryName="tests/function")
    answer = push(layout, running.registry, "tests/function", "latest", login_to(running))
    answer.raise_for_status()
    return f"{running.registry}/tests/function@{answer.headers['Docker-Content-Digest']}"


@pytest.fixture(scope="session")
def role(local_aws: Instance) -> str:
    """The ARN of a role that Lambda may take."""
    return role_in(local_aws)


def role_in(running: Instance) -> str:
    """Make a role that Lambda may take; returns its ARN."""
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    created = make_client(running, "iam").create_role(RoleName="function", AssumeRolePolicyDocument=policy)
    return str(created["Role"]["Arn"])


def made_in(running: Instance, layout: Path, **settings: Any) -> "Function":
    """Make a function of the test image on an instance that has none yet."""
    function = Function(make_client(running, "lambda"), "function")
    settings = {"Timeout": 60, "MemorySize": 256, **settings}
    code = {"ImageUri": push_image(running, layout)}
    function.client.create_function(
        FunctionName=function.name, PackageType="Image", Code=code, Role=role_in(running), **settings
    )
    function.settle()
    return function


@pytest.fixture
def make_function(aws: Clients, image_uri: str, role: str) -> Iterator[Callable[..., "Function"]]:
    """Make functions of the test image, deleted after the test."""
    created: list[Function] = []

    def make(**settings: Any) -> Function:
        name = f"function-{uuid.uuid4().hex[:8]}"
        settings = {"Timeout": 60, "MemorySize": 256, **settings}
        aws("lambda").create_function(
            FunctionName=name, PackageType="Image", Code={"ImageUri": image_uri}, Role=role, **settings
        )
        created.append(Function(aws("lambda"), name))
        created[-1].settle()
        return created[-1]

    yield make
    for function in created:
        aws("lambda").delete_function(FunctionName=function.name)


@dataclass(frozen=True)
class Answer:
    """The outcome of an invocation."""

    value: Any
    error: str | None
    log: str

    @property
    def report(self) -> str:
        """The REPORT line."""
        return next(line for line in self.log.splitlines() if line.startswith("REPORT"))


@dataclass(frozen=True)
class Function:
    """A function under test."""

    client: Any
    name: str

    def invoke(self, event: Any = None, **more: Any) -> Answer:
        """Invoke and wait for the answer."""
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event or {}), LogType="Tail", **more)
        log = base64.b64decode(answer.get("LogResult", "")).decode()
        return Answer(json.loads(answer["Payload"].read() or b"null"), answer.get("FunctionError"), log)

    def update(self, **settings: Any) -> None:
        """Change the configuration and wait until it holds."""
        self.client.update_function_configuration(FunctionName=self.name, **settings)
        self.settle()

    def settle(self) -> None:
        """Wait until the function is active and its last update is over."""
        wait_for(lambda: self._is_settled(), f"{self.name} to become active")

    def _is_settled(self) -> bool:
        output = self.client.get_function_configuration(FunctionName=self.name)
        assert output["State"] != "Failed", output.get("StateReason")
        return bool(output["State"] == "Active" and output.get("LastUpdateStatus") != "InProgress")


def wait_for(condition: Callable[[], Any], what: str, limit_s: float = 120) -> Any:
    """Ask until the answer is true; fail when it does not come."""
    end = time.monotonic() + limit_s
    while not (answer := condition()):
        assert time.monotonic() < end, f"waited {limit_s} s for {what}"
        time.sleep(0.05)
    return answer


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    """`Code: message` of the error that a call ends with; fail when it succeeds."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"
