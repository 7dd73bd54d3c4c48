"""The Runtime API's server."""

import http.client
import threading

from local_aws.runtime_api import BASE, RuntimeApi


def test_close_ends_every_request_that_waits() -> None:
    """A runtime that polls from several threads leaves no server thread waiting."""
    api = RuntimeApi()
    connections = [http.client.HTTPConnection(api.address, timeout=120) for _ in range(3)]
    before = threading.active_count()
    for connection in connections:
        connection.request("GET", BASE + "invocation/next")
    assert [event.kind for event in (api.wait(120) for _ in connections) if event] == ["ready"] * 3
    assert threading.active_count() >= before + 3
    api.close()
    for connection in connections:
        assert connection.sock is not None
        assert connection.sock.recv(1) == b""
        connection.close()
