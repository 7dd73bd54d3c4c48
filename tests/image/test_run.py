"""The image as a function, as a shell and in a container engine, without a local AWS."""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.config import Config

from local_aws import processes
from tests.unit.nix.test_differences import image as small_image

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3.11"


def command(verb: str, *words: str) -> list[str]:
    """Return a verb's command line."""
    return [sys.executable, "-m", "scripts", verb, *words]


def ran(verb: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        command(verb, *words), cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@dataclass(frozen=True)
class Started:
    """A running `make run`."""

    process: subprocess.Popen[str]
    url: str

    def post(self, event: object, **headers: str) -> httpx.Response:
        """POST an event."""
        return httpx.post(self.url, json=event, headers=headers, timeout=120, trust_env=False)


def start(layout: Path, *words: str) -> Started:
    """Start the function and wait for its address."""
    line = command("run", "--image", str(layout), "--port", "0", *words)
    pipe = subprocess.PIPE
    process = subprocess.Popen(line, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, start_new_session=True)
    assert process.stderr is not None
    output = ""
    while "curl " not in output:
        text = process.stderr.readline()
        assert text, output
        output += text
    return Started(
        process, next(word for word in output.split() if word.startswith("http://127.0.0.1") and "functions" in word)
    )


def stop(started: Started) -> tuple[int, str]:
    """Send Ctrl-C; return the exit status and standard output."""
    started.process.send_signal(signal.SIGINT)
    output, _ = started.process.communicate(timeout=120)
    return started.process.returncode, output


@pytest.fixture(scope="module")
def running(probed: Path) -> Iterator[Started]:
    """The image with the probe as its handler."""
    started = start(probed, "--env", "ASKED=given")
    yield started
    if started.process.poll() is None:
        stop(started)


def test_an_event_returns_the_handlers_result(running: Started) -> None:
    """A POST to the emulator's path returns the handler's result, with Lambda's headers."""
    answer = running.post({"check": "imports", "argument": ["json"]})
    assert (answer.status_code, answer.json()) == (200, ["json"])
    assert answer.headers["X-Amz-Executed-Version"] == "$LATEST"
    assert "X-Amz-Function-Error" not in answer.headers


def test_an_aws_sdk_can_invoke_it(running: Started) -> None:
    """boto3 can invoke the function: payload, log tail and function error are where it expects them."""
    client = boto3.client(
        "lambda",
        endpoint_url=running.url.partition("/2015")[0],
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )
    result = client.invoke(FunctionName="any", Payload=b'{"check": "imports", "argument": ["json"]}', LogType="Tail")
    assert json.load(result["Payload"]) == ["json"]
    assert "LogResult" in result
    failed = client.invoke(FunctionName="any", Payload=b'{"check": "no such check"}')
    assert failed["FunctionError"] == "Unhandled"
    assert json.load(failed["Payload"])["errorType"] == "KeyError"


@pytest.mark.parametrize(
    ("path", "body", "status"), [("", "{", 400), ("/more", "{}", 404), ("?Qualifier=live", '{"check": "fit"}', 200)]
)
def test_an_invalid_request_is_rejected(path: str, body: str, status: int, running: Started) -> None:
    """An event that is not JSON, and an unknown path, are rejected with Lambda's errors; a qualifier is accepted."""
    answer = httpx.post(running.url + path, content=body, timeout=120, trust_env=False)
    assert answer.status_code == status, answer.text


def test_an_event_without_a_length_is_refused(running: Started) -> None:
    """A chunked event is rejected, not read as an empty one, which would poll a job."""
    answer = httpx.post(running.url, content=iter([b"{}"]), timeout=120, trust_env=False)
    assert (answer.status_code, "send Content-Length" in answer.text) == (411, True)


@pytest.mark.parametrize("field", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_a_web_page_invokes_nothing(field: dict[str, str], running: Started) -> None:
    """A page that a browser on this machine shows is answered with Lambda's error, and why."""
    answer = running.post({"check": "imports", "argument": ["json"]}, **field)
    assert (answer.status_code, answer.headers["X-Amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert next(iter(field)) in answer.json()["Message"]


def test_an_asynchronous_invocation_is_refused(running: Started) -> None:
    """An asynchronous invocation, which is not emulated, is rejected."""
    assert running.post({}, **{"X-Amz-Invocation-Type": "Event"}).status_code == 400


def test_ctrl_c_leaves_nothing(probed: Path) -> None:
    """After Ctrl-C the status is 0, the port is free, no process is left, and the log was printed."""
    started = start(probed)
    started.post({"check": "imports", "argument": ["json"]})
    below = list(processes.walk_children(started.process.pid))
    status, output = stop(started)
    assert status == 0
    assert "REPORT RequestId: " in output
    assert [pid for pid in below if processes.find(pid) is not None] == []
    with pytest.raises(httpx.ConnectError):
        started.post({})


def test_a_taken_port_names_its_owner(running: Started) -> None:
    """A second function on the same port fails with the owner's name."""
    port = running.url.split(":")[2].partition("/")[0]
    done = ran("run", "--port", port)
    assert done.returncode == 1
    assert f"port {port} is in use by pid {running.process.pid}" in done.stderr


@pytest.mark.parametrize("engine", ["bubblewrap", "plain"])
def test_a_command_runs_in_the_image(engine: str, layout: Path) -> None:
    """`make shell` runs a program in the handler's folder with the stage's variables, and returns its status."""
    code = "import os, sys, handler.app; print(os.environ['PLEXUS_ACCOUNT_KEY'], sys.version_info[:2]); sys.exit(7)"
    done = ran("shell", "--image", str(layout), "--engine", engine, "--", PYTHON, "-c", code)
    if engine == "bubblewrap" and "does not work here" in done.stderr:
        pytest.skip(f"the bubblewrap engine does not work here: {done.stderr.splitlines()[0]}")
    assert (done.returncode, done.stdout) == (7, "demo (3, 11)\n"), done.stderr


def test_without_a_shell_python_opens(layout: Path) -> None:
    """If the image has no shell, `make shell` opens its Python."""
    typed = subprocess.run(
        command("shell", "--image", str(layout)), cwd=ROOT, input="print(6 * 7)\n", capture_output=True, text=True
    )
    assert (typed.returncode, typed.stdout.strip()) == (0, "42"), typed.stderr
    assert "/usr/bin/python3 in the image" in typed.stderr


def test_ctrl_c_in_the_shell_is_for_what_runs_there(layout: Path) -> None:
    """On a terminal, Ctrl-C interrupts the running statement, not the shell."""
    terminal, end = pty.openpty()
    opened = subprocess.Popen(
        command("shell", "--image", str(layout)),
        cwd=ROOT,
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    try:
        type_line(terminal, b"", b">>> ")
        type_line(terminal, b"print('run' + 'ning'); import time; time.sleep(60)\n", b"running")
        type_line(terminal, b"\x03", b"KeyboardInterrupt")
        type_line(terminal, b"print(6 * 7)\n", b"42")
        os.write(terminal, b"\x04")
        assert opened.wait(120) == 0
    finally:
        opened.kill()
        os.close(terminal)
        os.close(end)


def type_line(terminal: int, text: bytes, expected: bytes) -> None:
    """Type into a terminal and read until the expected answer."""
    os.write(terminal, text)
    output, end = b"", time.monotonic() + 120
    while expected not in output:
        assert select.select([terminal], [], [], end - time.monotonic())[0], output
        output += os.read(terminal, 4096)


def test_a_missing_engine_is_reported(layout: Path, tmp_path: Path) -> None:
    """Without Docker and Podman, the error names the commands that need neither."""
    done = ran("load", "--image", str(layout), PATH=str(tmp_path))
    assert done.returncode == 1
    assert "no container engine responds (docker: not installed; podman: not installed)" in done.stderr
    assert "make run and make shell work without one" in done.stderr


@pytest.mark.skipif(not shutil.which("podman"), reason="podman is not installed here (apt-get install podman)")
def test_podman_has_the_built_image(tmp_path: Path) -> None:
    """`make load` loads the image into Podman under its name, with the config's digest as its id."""
    storage = tmp_path / "storage.conf"
    places = f'graphroot = "{tmp_path / "graph"}"\nrunroot = "{tmp_path / "run"}"\n'
    storage.write_text(f'[storage]\ndriver = "vfs"\n{places}')
    layout = small_image(tmp_path / "image")
    variables = {"CONTAINERS_STORAGE_CONF": str(storage), "STORAGE_DRIVER": "vfs"}
    if not works(["podman", "info"], variables):
        pytest.skip("`podman info` fails here: it has no storage or no user namespaces")
    done = ran("load", "--json", "--engine", "podman", "--image", str(layout), **variables)
    assert done.returncode == 0, done.stderr
    config = json.loads((layout / "manifest.json").read_bytes())[0]["Config"].rpartition("/")[2]
    result = json.loads(done.stdout)
    assert (result["name"], result["image_id"]) == ("plexus/score-processor-lambda:latest", f"sha256:{config}")


def works(line: Sequence[str], variables: dict[str, str]) -> bool:
    """Return whether a command exits with 0."""
    return subprocess.run(line, env={**os.environ, **variables}, capture_output=True, check=False).returncode == 0
