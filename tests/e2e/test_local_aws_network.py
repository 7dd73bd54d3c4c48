"""Containers reach the addresses of their services, each under its own name, and nothing else."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from local_aws import engine_choice
from local_aws.engine import Container
from local_aws.network import Service, forward, parse
from local_aws.sysroot import find_sysroot

ECHO = """
import socket, sys
for word in sys.argv[1:]:
    host, _, port = word.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=120) as client:
        client.sendall(word.encode() * 10000)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
        print(word, answer == word.encode() * 10000)
"""
Inside = Callable[..., list[str]]


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that returns what it is sent, once it was sent everything."""

    def answer() -> None:
        with contextlib.suppress(OSError):  # the end of the test
            while True:
                client, _ = server.accept()
                with client, client.makefile("rb") as sent:
                    client.sendall(sent.read())

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def inside() -> Inside:
    """`inside(services, words)`: run ECHO in a container that reaches these services; the lines that it prints."""
    engine = engine_choice.choose()
    if not engine.guarantees.own_network:
        pytest.skip(engine.guarantees.reason or "this machine's engine gives containers no network of their own")

    def run(services: tuple[Service, ...] | None, *words: str) -> list[str]:
        ours, theirs = os.pipe()
        python = ("/usr/bin/python3.13", "-I", "-S", "-c", ECHO, *words)
        container = Container(f"of-{os.getpid()}-net", (find_sysroot().root,), python, {}, services=services)
        running = engine.start(container, theirs)
        os.close(theirs)
        try:
            with os.fdopen(ours) as output:
                lines = output.read().splitlines()
            running.wait()
        finally:
            running.kill()
        return lines

    return run


def test_services_are_reached_under_their_names(inside: Inside, echo: int) -> None:
    """A service is at its own host and port, also two on one port, and large messages arrive whole both ways."""
    services = (
        *(parse(f"127.0.0.1:{echo}") or ()),
        Service("one.example", 443, lambda listener: forward(listener, "127.0.0.1", echo)),
        Service("two.example", 443, lambda listener: forward(listener, "127.0.0.1", echo)),
    )
    words = [f"127.0.0.1:{echo}", f"localhost:{echo}", "one.example:443", "two.example:443"]
    assert inside(services, *words) == [f"{word} True" for word in words]


def test_nothing_else_is_reached(inside: Inside, echo: int) -> None:
    """Without a service, a server of this machine refuses, and names are unknown; `*` is this machine's network."""
    refused = inside((), f"127.0.0.1:{echo}")
    unknown = inside((), "one.example:443")
    assert ("ConnectionRefusedError" in refused[-1], "gaierror" in unknown[-1]) == (True, True)
    assert inside(parse("*"), f"127.0.0.1:{echo}") == [f"127.0.0.1:{echo} True"]


def test_a_service_that_is_down_ends_the_connection(inside: Inside) -> None:
    """A client of a service that nobody serves is not left waiting."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        word = f"127.0.0.1:{unused.getsockname()[1]}"
        assert inside(parse(word), word)[-1] != f"{word} True"  # reset or closed, whichever the kernel does first
