"""Addresses that functions reach."""

import pytest

from local_aws.exceptions import LocalAwsError
from local_aws.network import Entrance, Service, of_url, parse


def test_addresses_are_services_and_a_star_is_everything() -> None:
    """Blanks and commas separate; an address that is named twice is one service."""
    assert parse("") == ()
    assert parse("api.openai.com:443 *") is None
    result = parse("127.0.0.1:11434, api.openai.com:443 127.0.0.1:11434")
    assert result is not None
    assert [(service.host, service.port) for service in result] == [("127.0.0.1", 11434), ("api.openai.com", 443)]


@pytest.mark.parametrize(
    "word", ["api.openai.com", "a:0", "a:65536", ":80", "http://a:80", "10.0.0.1:80", "a_b:80", "a:80/x", "-a:80"]
)
def test_what_is_no_address_is_refused_with_all_others(word: str) -> None:
    """The message names every wrong word, and what is expected."""
    with pytest.raises(LocalAwsError) as caught:
        parse(f"good.example:443 {word} b:x")
    assert str(caught.value) == f"LOCAL_AWS_REACH: got {word}, b:x, expected HOST:PORT or *"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("http://127.0.0.1:4566", "127.0.0.1", 4566), ("https://sqs.example/q", "sqs.example", 443)],
)
def test_an_endpoint_is_a_service(url: str, host: str, port: int) -> None:
    """A URL without a port has its scheme's."""
    assert (of_url(url).host, of_url(url).port) == (host, port)


def test_each_name_has_an_address_of_its_own() -> None:
    """Two names with services on one port would otherwise be one; localhost is loopback's own."""
    services = [Service(host, 443, lambda _: lambda: None) for host in ("b.example", "localhost", "a.example")]
    entrance = Entrance(services)
    try:
        assert entrance.hosts() == b"127.0.0.1 localhost\n127.1.0.1 a.example\n127.1.0.2 b.example\n"
        assert entrance.encode_word().split(",")[1:] == ["127.1.0.2:443", "127.0.0.1:443", "127.1.0.1:443"]
    finally:
        entrance.close()
