"""HTTP for pushes, on urllib3: the AWS SDK has loaded it already, and any other library takes longer to start."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3

CONNECT_S, READ_S = 5, 60
CONNECTIONS = 16
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Names files of certificates: the AWS SDK's variable first, since it talks to the same hosts.
BUNDLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")


class NoAnswer(Exception):
    """When a request got no answer, or half of one."""


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end. Names of headers are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body's value; ValueError when it is no JSON."""
        return json.loads(self.content)


class Http:
    """Sends requests, through the environment's proxies and over connections that stay open. Follows no redirect.

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
    ) -> Answer:
        """Send one request; pieces of content need a Content-Length. NoAnswer when the connection fails."""
        try:
            got = self._pool(proxy_of(url)).request(
                method, url, headers=dict(headers), body=content, redirect=False, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(str(error) or type(error).__name__) from error
        return Answer(got.status, got.headers, got.data)

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


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address; None for the loopback, and for what NO_PROXY names."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
