"""Web pages: no server of the local AWS acts on what they make a browser send, and real clients are not affected."""

import http.client
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_aws.instance import Instance
from local_aws.runtime_api import BASE, RuntimeApi
from tests.e2e.conftest import Clients

Ask = Callable[..., tuple[int, str]]
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
RULE = [{"operation": "sqs.SendMessage", "code": "Injected"}]


def ask(address: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    """Send a request as a browser would; status and text of the answer."""
    connection = http.client.HTTPConnection(address, timeout=120)
    content = None if body is None else json.dumps(body)
    connection.request(
        method, path, body=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


@pytest.fixture
def gateway(local_aws: Instance) -> str:
    """The gateway's address."""
    return urlsplit(local_aws.endpoint).netloc


@pytest.fixture
def queue(aws: Clients) -> str:
    """The URL of an empty queue."""
    return str(aws("sqs").create_queue(QueueName=f"pages-{uuid.uuid4().hex[:8]}")["QueueUrl"])


@pytest.mark.parametrize("headers", [{}, IMAGE, {"Host": "evil.example"}])
def test_an_image_sends_no_message(gateway: str, queue: str, aws: Clients, headers: dict[str, str]) -> None:
    """A GET with an action is refused, with or without a sign of the browser that sent it, and nothing is sent."""
    status, text = ask(gateway, "GET", f"{urlsplit(queue).path}?Action=SendMessage&MessageBody=x", **headers)
    assert (status, ", expected" in text or "use POST" in text) == (403, True)
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=queue)


@pytest.mark.parametrize(
    "headers", [PAGE, {"Origin": "null"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "same-site"}]
)
@pytest.mark.parametrize("path", ["/_local_aws/faults", "/_local_aws/calls", "/_local_aws/environments/kill", "/"])
def test_a_page_changes_nothing(gateway: str, aws: Clients, queue: str, path: str, headers: dict[str, str]) -> None:
    """A form or script of another origin, or under a name that was rebound, injects no fault and calls no service."""
    assert ask(gateway, "POST", path, RULE, **headers)[0] == 403
    assert ask(gateway, "GET", "/_local_aws/faults") == (200, "[]")
    aws("sqs").send_message(QueueUrl=queue, MessageBody="x")


@pytest.mark.parametrize("path", ["/_localstack/health", "/_local_aws/status"])
def test_a_page_reads_nothing(gateway: str, path: str) -> None:
    """A page of another origin gets neither an answer nor a header that would allow it to read one."""
    assert ask(gateway, "GET", path, **PAGE)[0] == 403
    assert ask(gateway, "OPTIONS", path, Access_Control_Request_Method="POST", **PAGE)[0] == 403
    assert ask(gateway, "GET", path)[0] == 200


@pytest.mark.parametrize("headers", [PAGE, IMAGE, {"Host": "evil.example"}])
def test_a_page_reaches_no_registry(local_aws: Instance, headers: dict[str, str]) -> None:
    """The registry refuses a page before it asks for a password, and asks a program for it."""
    assert ask(local_aws.registry, "GET", "/v2/", **headers)[0] == 403
    assert ask(local_aws.registry, "GET", "/v2/")[0] == 401


def test_a_page_answers_no_invocation() -> None:
    """The Runtime API takes neither results nor errors from a page, and lets it take no event."""
    api = RuntimeApi()
    try:
        assert ask(api.address, "POST", f"{BASE}init/error", {}, **PAGE)[0] == 403
        assert ask(api.address, "GET", f"{BASE}invocation/next", **IMAGE)[0] == 403
        assert api.wait(0) is None
        assert ask(api.address, "POST", f"{BASE}init/error", {})[0] == 202
    finally:
        api.close()


@pytest.mark.parametrize("name", ["localhost", "localhost.localstack.cloud", "bucket.s3.localhost.localstack.cloud"])
def test_a_client_may_use_localstacks_names(gateway: str, name: str) -> None:
    """Names that LocalStack gives to its own clients are this machine's."""
    assert ask(gateway, "GET", "/_localstack/health", Host=f"{name}:{gateway.partition(':')[2]}")[0] == 200
