"""Instances that do not answer, and ports that cannot be had."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local_aws import control, instance, ports, processes
from local_aws.__main__ import main
from local_aws.instance import Instance

NAME = "deaf"
Tell = Callable[[int], None]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that nobody listens on, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """`tell(port)`: write down an instance on this port, whose process is this one."""
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path))

    def output(port: int) -> None:
        own = processes.find(os.getpid())
        assert own is not None
        instance.locate_folder(NAME).mkdir()
        endpoint = f"http://127.0.0.1:{port}"
        instance.write(Instance(NAME, own.pid, own.start_ticks, 0.0, endpoint, "127.0.0.1:1", "plain", {}))

    return output


def test_status_of_an_instance_that_nobody_serves_says_what_to_do(
    tell: Tell, silent: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A live process without a gateway is an error that names process, address, remedy and log."""
    tell(silent)
    assert main(["status", "--name", NAME]) == 1
    captured = capsys.readouterr().err
    assert captured.startswith(
        f"local AWS: instance {NAME} (pid {os.getpid()}) does not answer on http://127.0.0.1:{silent}: "
    )
    assert captured.endswith(
        f"start it again (python3 -m local_aws start); its log is {instance.locate_folder(NAME) / 'log'}\n"
    )


def test_status_of_an_instance_that_answers_nonsense_is_no_traceback(
    tell: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    """A response that is not HTTP is reported as no response."""

    def babble() -> None:
        connection, _ = server.accept()
        connection.sendall(b"220 nonsense\r\n")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        tell(server.getsockname()[1])
        speaker = threading.Thread(target=babble)
        speaker.start()
        assert main(["status", "--name", NAME]) == 1
        speaker.join()
    assert "does not answer" in capsys.readouterr().err


def test_an_instance_that_answers_late_is_not_started_again(tell: Tell) -> None:
    """A busy instance, which accepts a connection and answers seconds later, is the running one, and goes on."""

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(3)
            body = json.dumps({"ready": True, "key": instance.derive_key(NAME)}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tell(server.server_address[1])
        assert control.start(NAME).pid == os.getpid()
        server.shutdown()


@pytest.mark.parametrize("text", ["65536", "-1", "http"])
def test_what_is_no_port_is_misuse(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A port beyond the range or no number at all exits with 2 and says what was expected."""
    with pytest.raises(SystemExit) as caught:
        main(["start", f"--port={text}"])
    assert caught.value.code == 2
    assert f"got {text!r}, expected a port number from 0 to 65535" in capsys.readouterr().err


def test_port_without_a_listener_has_no_owner(silent: int) -> None:
    """A port that this user may not bind, without a listener, is reported without naming a process."""
    assert ports.find_owner(silent) == ports.NOBODY


def test_an_instances_folder_is_its_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other user may read what an instance stores, even in a folder that an earlier version made for all."""
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path))
    (tmp_path / NAME).mkdir(mode=0o755)
    assert [instance.make_folder(name).stat().st_mode & 0o777 for name in (NAME, "new")] == [0o700, 0o700]


def test_a_checkouts_folder_of_instances_is_its_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of all instances is closed to others too, unless the user has chosen another one."""
    monkeypatch.delenv("LOCAL_AWS_HOME", raising=False)
    monkeypatch.setattr(instance, "REPOSITORY", tmp_path)
    (tmp_path / ".local-aws").mkdir(mode=0o755)
    assert instance.make_folder(NAME).parent.stat().st_mode & 0o777 == 0o700
