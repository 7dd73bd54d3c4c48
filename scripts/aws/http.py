"""HTTP for the registry client, on urllib3: the AWS SDK has imported it already, and any other library costs time."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3

CONNECT_S, READ_S = 5, 60
CONNECTIONS = 16  # that are kept open; urllib3 closes those of more threads after each request
PIECE_BYTES = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Names of certificate bundles: the AWS SDK's variable first, since it connects to the same hosts.
BUNDLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")


class NoAnswer(Exception):
    """Raised if a request got no answer, or an incomplete one."""


@dataclass(frozen=True)
class Response:
    """An answer; `content` is empty for one whose body is streamed. Header names are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""

    @property
    def reason(self) -> str:
        """Return an OCI registry's error from a response's body, on one line; empty without a body."""
        if not self.content:  # the answer to a HEAD request has none
            return ""
        try:
            body: Any = json.loads(self.content)
            return "; ".join(f"{e.get('code', '')}: {e.get('message', '')}" for e in body["errors"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.content.decode("utf-8", "replace")[:200].replace("\n", " ")


class Http:
    """Sends requests through the environment's proxies, over connections that stay open. Follows no redirect.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.clear()

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | Iterator[bytes] | None = None
    ) -> Response:
        """Send one request; pieces of content need a Content-Length. NoAnswer if the connection fails.

        Neither retries nor follows redirects: both are the caller's decision, and an iterator as content can be sent
        only once. A response of any status is returned, its body read to the end.
        """
        try:
            answer = self._pool(find_proxy(url)).request(
                method, url, headers=dict(headers), body=content, redirect=False, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(str(error) or type(error).__name__) from error
        return Response(answer.status, answer.headers, answer.data)

    @contextmanager
    def stream(self, method: str, url: str, headers: Mapping[str, str]) -> Iterator[tuple[Response, Iterator[bytes]]]:
        """Yield the answer and its body in pieces of 1 MiB at most; NoAnswer, also from the pieces, as `request`.

        The body of an error (from 400 on) is read at once, into the answer.
        """
        try:
            answer = self._pool(find_proxy(url)).request(
                method, url, headers=dict(headers), redirect=False, retries=False, preload_content=False
            )
            try:
                yield (
                    Response(answer.status, answer.headers, answer.data if answer.status >= 400 else b""),
                    answer.stream(PIECE_BYTES),
                )
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(str(error) or type(error).__name__) from error

    def _pool(self, proxy: str | None) -> urllib3.PoolManager:
        if proxy not in self._pools:
            self._pools.setdefault(proxy, _pool(proxy))
        return self._pools[proxy]


def _pool(proxy: str | None) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "maxsize": CONNECTIONS,
        "timeout": urllib3.Timeout(connect=CONNECT_S, read=READ_S),
        "ca_certs": next((os.environ[name] for name in BUNDLES if os.environ.get(name)), certifi.where()),
    }
    if proxy is None:
        return urllib3.PoolManager(**options)
    user, mark, _ = urlsplit(proxy).netloc.rpartition("@")
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if mark else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)


def find_proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address; None on the loopback and for NO_PROXY's hosts."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
