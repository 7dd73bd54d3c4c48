"""Which requests are a web page's: header fields as the Fetch standard and Fetch Metadata have browsers send them."""

import pytest

from local_aws.browsers import find_refusal

HOST = ("Host", "127.0.0.1:4566")
SEND = "/000000000000/queue?Action=SendMessage&MessageBody=x"
SIGNED = ("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260102/us-west-2/sqs/aws4_request")
IMAGE = [HOST, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]
LINK = [HOST, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:4566",
        "localhost:4566",
        "LOCALHOST",
        "[::1]:4566",
        "127.0.0.2:80",
        "localhost.localstack.cloud:4566",
        "bucket.s3.us-west-2.localhost.localstack.cloud:4566",
        "bucket.s3.localhost:4566",
    ],
)
def test_a_client_may_use_every_name_of_this_machine(host: str) -> None:
    """Loopback addresses, localhost and what resolves to them are accepted with any port, which a tunnel may change."""
    assert find_refusal("POST", "/", [("host", host)]) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4566", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost",
     "user@127.0.0.1", "localhost:4566:80", "192.168.1.2:4566", "", " ", "[::2]", "localstack.cloud"],
)  # fmt: skip
def test_a_name_that_a_page_could_own_is_refused(host: str) -> None:
    """After DNS rebinding the browser sends the page's own name; the refusal names it and what is expected."""
    problem = find_refusal("POST", "/", [("Host", host)])
    assert problem is not None
    assert "expected a name of this machine" in problem


@pytest.mark.parametrize("fields", [[], [HOST, HOST], [HOST, ("Host", "evil.example")]])
def test_a_request_has_one_host(fields: list[tuple[str, str]]) -> None:
    """Neither a request without a Host is answered, nor one with two."""
    assert find_refusal("GET", "/", fields) is not None


def test_an_absolute_address_names_the_host_too() -> None:
    """A request line with a whole address is for that address, whatever Host says."""
    assert find_refusal("GET", "http://127.0.0.1:4566/_localstack/health", [HOST]) is None
    assert find_refusal("GET", "http://evil.example/_localstack/health", [HOST]) is not None
    assert find_refusal("GET", "http://evil.example/", [("Host", "evil.example")]) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "WEBSOCKET"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "https://127.0.0.1:4566", "http://127.0.0.1",
     "https://app.localstack.cloud", "http://127.0.0.1:4566.evil.example"],
)  # fmt: skip
def test_other_origins_are_refused(method: str, origin: str) -> None:
    """For every method, an origin is foreign unless it is this server, scheme and port included."""
    assert find_refusal(method, "/_local_aws/faults", [HOST, ("Origin", origin)]) is not None


def test_the_servers_own_pages_may_use_it() -> None:
    """A page that this server sent has its origin."""
    fields = [HOST, ("Origin", "http://127.0.0.1:4566"), ("Sec-Fetch-Site", "same-origin")]
    assert find_refusal("POST", "/", fields) is None


@pytest.mark.parametrize("target", [SEND, "/_localstack/health", "/bucket/key"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_images_and_scripts_of_other_pages_are_refused(target: str, site: str) -> None:
    """An image needs no Origin, but its browser says where it stands."""
    fields = [HOST, ("Sec-Fetch-Site", site), *IMAGE[2:]]
    assert find_refusal("GET", target, fields) is not None
    assert find_refusal("GET", target, fields, is_page=True) is not None


def test_links_lead_to_pages_only() -> None:
    """A link of another page opens the dashboard, and nothing at the gateway."""
    assert find_refusal("GET", "/", LINK, is_page=True) is None
    assert find_refusal("GET", "/", LINK) is not None
    assert find_refusal("POST", "/", LINK, is_page=True) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "target",
    [
        SEND,
        f"http://127.0.0.1:4566{SEND}",
        "/?%41ction=DeleteQueue",
        "/?x=1&Action=",
        "/#?Action=ListQueues",
        "/q?X-Amz-Signature=0&Action=x",
    ],
)
def test_no_get_acts_unless_it_is_signed(method: str, target: str) -> None:
    """Browsers older than Fetch Metadata send an image like any program; but no image has an Authorization."""
    assert "use POST" in (find_refusal(method, target, [HOST]) or "")
    assert find_refusal(method, target, [HOST, SIGNED]) is None


@pytest.mark.parametrize(
    "target", ["/_localstack/health", "/bucket?list-type=2&prefix=Action", "/v2/", "/b/k?action=1"]
)
def test_programs_may_read(target: str) -> None:
    """curl, boto3 and skopeo send neither Origin nor Sec-Fetch-Site."""
    assert find_refusal("GET", target, [HOST, ("User-Agent", "curl/8.14.1"), ("Accept", "*/*")]) is None
