"""Mirrors and package indexes that fall silent, refuse, or answer with nonsense."""

import signal
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from nix import inputs
from nix.clients import http_download
from nix.fetching import debian_search
from tests.integration.nix.world import LIMIT_S, PACKAGES, World, add_wheel, failure, pool, remove_packages, wait_until

ALL = list(PACKAGES)
TRUNCATED = http_download.Failure(http_download.Kind.UNCLEAR, "the answer was truncated")


class Impatient(http_download.Plain):
    """A connection that waits for the server `localhost` for half a second, and for any other one as long as needed."""

    def __init__(self, host: str, **settings: Any) -> None:
        super().__init__(host, **settings)
        self.timeout = 0.5 if self.host == "localhost" else LIMIT_S


def test_a_mirror_that_stalls_is_left_for_one_that_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer the question in time is asked for nothing else while another has the files."""
    monkeypatch.setattr(http_download, "Plain", Impatient)
    world.stalled = {f"/slow/{pool(name)}" for name in PACKAGES}
    monkeypatch.setenv("DEBIAN_MIRROR", f"{world.address.replace('127.0.0.1', 'localhost')}/slow {world.address}")
    inputs.fetch()
    assert world.cached == ALL
    assert not [path for path in world.asked if path.startswith("/slow")]


def test_a_mirror_that_falls_silent_is_waited_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose first download stops in the middle is asked for no other file, and is named in the report."""
    monkeypatch.setattr(http_download, "READ_S", 0.5)
    monkeypatch.setattr(debian_search, "AT_ONCE", 1)
    world.halted = {f"/{pool(name)}" for name in PACKAGES}
    assert f"{world.address}: timed out (3 inputs)" in failure()
    wait_until(lambda: world.asked)  # the server may be slower than the client's patience
    assert len(world.asked) == 1


@pytest.mark.parametrize("length", ["many", "5, 5", "-1"])
def test_a_length_that_is_no_number_is_no_length(world: World, length: str) -> None:
    """A server with a broken Content-Length is judged by the bytes that it sends, by their hash."""
    world.length = length
    inputs.fetch()
    assert world.cached == ALL


def test_a_redirect_that_never_ends_is_one_reason_on_one_line(world: World) -> None:
    """A mirror that sends its clients in a circle is reported, and the report keeps one line for each source."""
    for path in remove_packages(world):
        world.redirects[path] = world.address + path
    (line,) = [line for line in failure().splitlines() if "302" in line or "307" in line]
    assert line.endswith("(3 inputs)")


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_package_index_that_refuses_is_named_with_its_answer(
    world: World, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report has the index's own status, and pip asks twice, without waiting for as long as the index asks for."""
    add_wheel(world)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"{world.address}/simple")
    world.statuses["/simple/tiny/"] = status
    assert f"the package index that pip is configured with: {status} " in failure()
    assert world.asked.count("/simple/tiny/") == 2


def test_headers_that_drip_are_timed_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose header lines come in time, one by one and without end, is one that does not answer."""
    for name in ("PROBE_S", "READ_S"):
        monkeypatch.setattr(http_download, name, 1.0)
    world.drips = True
    assert f"{world.address}: timed out (3 inputs)" in failure()


def test_a_dripping_answer_ends_when_the_work_ends(world: World) -> None:
    """Hanging up in the middle of the headers that another thread waits for is a failure, not the headers' end."""
    world.drips = True
    results: list[object] = []
    address = f"{world.address}/file"
    waiting = threading.Thread(
        target=lambda: results.append(http_download.probe(http_download.create_opener(), address))
    )
    waiting.start()
    assert world.dripped.wait(120)
    http_download.hang_up()
    waiting.join(120)
    assert results == [TRUNCATED]


def test_ctrl_c_ends_the_questions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a server stalls, Ctrl-C ends the search at once, and no other mirror is asked any more."""
    world.stalled = {f"/slow/{pool(name)}" for name in PACKAGES}
    monkeypatch.setenv("DEBIAN_MIRROR", f"{world.address.replace('127.0.0.1', 'localhost')}/slow {world.address}")
    main = threading.get_ident()

    def interrupt() -> None:
        wait_until(lambda: len(world.probed) == len(PACKAGES))
        signal.pthread_kill(main, signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        inputs.fetch()
    waiting.join()
    assert set(world.probed) == world.stalled


def reset_within(answer: bytes, listening: socket.socket) -> None:
    """Send the beginning of an answer to one request, then reset the connection."""
    connection, _ = listening.accept()
    connection.recv(1 << 16)
    connection.sendall(answer)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("is_download", [False, True], ids=["headers", "content"])
def test_a_connection_that_is_reset_is_a_truncated_answer(is_download: bool, tmp_path: Path) -> None:
    """A server that resets a connection within its answer may have the file: it is not one that cannot be reached."""
    client, path = http_download.create_opener({"http": ""}), tmp_path / "file"
    answer = b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 9\r\n\r\nhalf" if is_download else b"")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=reset_within, args=(answer, listening))
        server.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        result = http_download.download(client, address, path) if is_download else http_download.probe(client, address)
        server.join()
    assert (result, path.exists()) == (TRUNCATED, False)


@pytest.mark.parametrize(
    "begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 200 OK\r\nA: b"]
)
def test_headers_without_an_end_are_a_failure(begin: bytes) -> None:
    """A server that closes the connection within its headers has not said that it has the file."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(begin)

        server = threading.Thread(target=answer)
        server.start()
        result = http_download.probe(
            http_download.create_opener({"http": ""}), f"http://127.0.0.1:{listening.getsockname()[1]}/"
        )
        server.join()
    assert isinstance(result, http_download.Failure)


@pytest.mark.parametrize(("proxy", "is_direct"), [({}, False), ({"http": ""}, True)])
def test_a_direct_connection_ignores_the_environments_proxy(
    world: World, proxy: dict[str, str], is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DIRECT in apt's configuration overrides the environment's proxy, which is used if apt names none."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    world.served["/file"] = b"x"
    assert (http_download.probe(http_download.create_opener(proxy), f"{world.address}/file") is None) == is_direct
