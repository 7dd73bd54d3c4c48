"""The HTTP client: proxies of the environment, and failing connections."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from scripts.aws.http import Http, NoAnswer, find_proxy

PROXY = "http://someone:p%40ss@127.0.0.1:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies from the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """Yield the address of a proxy that answers one request, and the request."""
    asked: list[bytes] = []

    def serve() -> None:
        near, _ = server.accept()
        with near:
            asked.append(near.recv(1 << 16))
            near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        thread.join(120)


def test_a_request_goes_through_the_environments_proxy(
    proxy: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy receives the full URL and its own credentials."""
    monkeypatch.setenv("http_proxy", f"http://someone:p%40ss@{proxy[0]}")
    answer = Http().request("GET", "http://registry.example/v2/", {})
    assert (answer.status, answer.content) == (200, b"{}")
    assert proxy[1][0].startswith(b"GET http://registry.example/v2/ HTTP/1.1\r\n")
    assert b"Basic c29tZW9uZTpwQHNz" in proxy[1][0]


@pytest.mark.parametrize(
    ("url", "variables", "wanted"),
    [
        ("https://registry.example/v2/", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://registry.example/v2/", {"HTTPS_PROXY": "127.0.0.1:3128"}, "http://127.0.0.1:3128"),
        ("https://registry.example/v2/", {"HTTPS_PROXY": PROXY, "NO_PROXY": ".example"}, None),
        ("http://127.0.0.1:5000/v2/", {"HTTP_PROXY": PROXY}, None),
        ("https://registry.example/v2/", {}, None),
    ],
    ids=["named", "without http://", "excepted", "loopback", "none"],
)
def test_the_environment_names_the_proxy(
    url: str, variables: dict[str, str], wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY and HTTP_PROXY apply except to NO_PROXY's hosts and the loopback."""
    monkeypatch.delenv("REQUEST_METHOD", raising=False)  # with it, HTTP_PROXY may come from a request's header
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(url) == wanted


def test_a_connection_that_is_refused_is_no_answer() -> None:
    """A refused connection raises NoAnswer."""
    with socket.socket() as bound:  # which nobody listens on, and nobody else can take
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match="refused"):
            Http().request("GET", f"http://127.0.0.1:{bound.getsockname()[1]}/", {})
