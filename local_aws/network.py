"""The addresses in a container's own network, each served by this process from a listening socket.

A listening socket belongs to the network in which it was made, not to the process that accepts its connections. So a
container needs no interface but loopback, no address translation and no root: `jail.py` makes the sockets inside and
passes them to this process, which serves some itself (the Runtime API, the gateway) and forwards others.
"""

import asyncio
import contextlib
import functools
import ipaddress
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from local_aws.exceptions import LocalAwsError

HANDOVER_S = 60.0  # until the sockets arrive; a container that fails to start closes its end at once
BLOCK = 1 << 16
ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(?P<port>[0-9]{1,5})")
EVERYTHING = "*"
VARIABLE = "LOCAL_AWS_REACH"

Stop = Callable[[], None]


@dataclass(frozen=True)
class Service:
    """An address that a container reaches. `serve` serves a listening socket until the returned function is called."""

    host: str
    port: int
    serve: Callable[[socket.socket], Stop]


class Entrance:
    """The way into one container's network. Close it when the container has ended."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._services = tuple(services)
        self._ours, self.theirs = socket.socketpair()
        names = {service.host for service in self._services if not is_loopback(service.host)}
        # Each name has an address of its own, so that two of them may have services on one port.
        self._addresses = {name: f"127.1.{index >> 8}.{index & 255}" for index, name in enumerate(sorted(names), 1)}
        self._stops: list[Stop] = []

    def encode_word(self) -> str:
        """Return the argument of `jail.py` that describes this network."""
        addresses = (f"{self._addresses.get(each.host, '127.0.0.1')}:{each.port}" for each in self._services)
        return ",".join((str(self.theirs.fileno()), *addresses))

    def hosts(self) -> bytes:
        """Return the content of /etc/hosts in this network."""
        lines = ("127.0.0.1 localhost", *(f"{at} {name}" for name, at in self._addresses.items()))
        return "".join(f"{line}\n" for line in lines).encode()

    def open(self) -> None:
        """Wait for the sockets and serve them. A container that ended before it sent them is served nothing."""
        self.theirs.close()
        self._ours.settimeout(HANDOVER_S)
        with contextlib.suppress(TimeoutError, ConnectionError):
            _, descriptors, _, _ = socket.recv_fds(self._ours, 1, len(self._services))
            for service, descriptor in zip(self._services, descriptors, strict=False):
                self._stops.append(service.serve(socket.socket(fileno=descriptor)))
        self._ours.close()

    def close(self) -> None:
        """Stop serving. Idempotent."""
        self.theirs.close()
        self._ours.close()
        while self._stops:
            self._stops.pop()()


def parse(text: str) -> tuple[Service, ...] | None:
    """Return the services of `HOST:PORT ...`, forwarded from this machine, or None for `*`: the machine's own network.

    Raises LocalAwsError with every word that is not an address.
    """
    words = text.replace(",", " ").split()
    if EVERYTHING in words:
        return None
    if wrong := [word for word in words if not is_address(word)]:
        raise LocalAwsError(f"{VARIABLE}: got {', '.join(wrong)}, expected HOST:PORT or {EVERYTHING}")
    return tuple(create_forwarding_service(*_split(word)) for word in dict.fromkeys(words))


def is_address(word: str) -> bool:
    """Return whether a word is HOST:PORT, with a name or an address of the loopback network."""
    match = ADDRESS.fullmatch(word)
    if match is None or not 0 < int(match["port"]) < 65536:
        return False
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(match["host"]).is_loopback
    return True


def create_forwarding_service(host: str, port: int) -> Service:
    """Return the service that connects to `host` from this machine's network."""
    return Service(host, port, lambda listener: forward(listener, host, port))


def of_url(url: str) -> Service:
    """Return the forwarded service of a URL's host and port."""
    parts = urlsplit(url)
    return create_forwarding_service(parts.hostname or "", parts.port or {"https": 443}.get(parts.scheme, 80))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: localhost, or an address of the loopback network."""
    return host == "localhost" or host.startswith("127.")


def forward(listener: socket.socket, host: str, port: int) -> Stop:
    """Connect each client of `listener` to `host`, until the returned function is called."""
    loop = _loop()

    async def serve_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()  # the client sees a reset, as from a host that refuses
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        for entry in (writer, far_writer):
            entry.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(serve_client, sock=listener), loop).result()

    def stop() -> None:
        loop.call_soon_threadsafe(server.close)

    return stop


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()  # the other direction ends with it


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="forwarder", daemon=True).start()
    return loop


def _split(word: str) -> tuple[str, int]:
    host, _, port = word.rpartition(":")
    return host, int(port)


def read_reach(default: str = "") -> str:
    """Return what functions reach beside the gateway: LOCAL_AWS_REACH, else `default`."""
    return os.environ.get(VARIABLE, default)
