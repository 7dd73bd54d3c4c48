"""Starting and stopping instances; each test has an instance of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_aws import cgroups, control, instance, ports, processes
from local_aws.exceptions import PortInUse
from local_aws.instance import Instance
from local_aws.paths import REPOSITORY
from local_aws.status import ask
from tests.e2e.conftest import made_in, make_client, wait_for


@pytest.fixture
def name() -> Iterator[str]:
    """A name that no instance has; what runs under it is ended after the test."""
    chosen = f"rule-{uuid.uuid4().hex[:8]}"
    yield chosen
    control.stop(chosen)
    shutil.rmtree(instance.locate_folder(chosen), ignore_errors=True)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    line = [sys.executable, "-m", "local_aws", *words]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, timeout=1200)


def test_start_is_idempotent_and_stop_ends_it(name: str) -> None:
    """A second start finds the first instance; after stop nothing listens or runs, and a second stop is no error."""
    first = command("start", "--name", name)
    assert (first.returncode, first.stdout.split()[0]) == (0, "ready"), first.stderr
    assert command("start", "--name", name).stdout.startswith("already running on")
    running = control.find(name)
    assert running is not None
    assert command("status", "--name", name).returncode == 0
    assert command("stop", "--name", name).stdout == f"local AWS {name}: stopped\n"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", running.port)) != 0
    assert not running.process.is_alive()
    again = command("stop", "--name", name)
    assert (again.returncode, again.stdout) == (0, f"local AWS {name}: not running\n")


def test_two_starts_at_once_give_one_instance(name: str) -> None:
    """One of two concurrent callers starts the instance, and both get it."""
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: command("start", "--name", name, "--json"), range(2)))
    assert len({json.loads(answer.stdout)["pid"] for answer in answers}) == 1


def test_port_in_use_is_refused_by_name_of_its_owner(name: str) -> None:
    """A given port that another process has ends the start with that process named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} on 127.0.0.1 is in use by pid {os.getpid()}"):
            control.start(name, port)
    assert control.find(name) is None


def test_port_that_is_lost_before_it_is_taken_is_chosen_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A free port that another process takes while LocalStack starts costs a second start, not the instance."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        chosen = [server.getsockname()[1]]
        free_port = ports.free_port
        monkeypatch.setattr(ports, "free_port", lambda *taken: chosen.pop() if taken and chosen else free_port(*taken))
        running = control.start(name)
        assert chosen == []
        assert not running.registry.endswith(f":{server.getsockname()[1]}")
    assert make_client(running, "ecr").describe_repositories()["repositories"] == []


def test_the_gateway_of_another_instance_is_not_taken_for_ones_own(
    name: str, local_aws: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance whose port another one takes while both start gets a port of its own."""
    chosen = [local_aws.port]
    free_port = ports.free_port
    monkeypatch.setattr(ports, "free_port", lambda *taken: free_port(*taken) if taken or not chosen else chosen.pop())
    running = control.start(name)
    assert chosen == []
    assert running.port != local_aws.port


def test_all_listens_on_loopback_only(name: str, layout: Path) -> None:
    """Every port that a process of the instance opens, with a function at work too, is bound to 127.0.0.1."""
    running = control.start(name)
    made_in(running, layout).invoke()
    result = listening([running.pid, *(member.pid for member in processes.list_descendants(running.pid))])
    assert {running.port, int(running.registry.rpartition(":")[2])} <= {port for _, port in result}
    assert {address for address, _ in result} == {"0100007F"}


def listening(pids: list[int]) -> set[tuple[str, int]]:
    """(address as the kernel writes it, port) of every socket at which one of these processes listens."""
    held = set()
    for pid in pids:
        with contextlib.suppress(OSError):  # it ended
            for entry in Path("/proc", str(pid), "fd").iterdir():
                with contextlib.suppress(OSError):
                    held.add(str(entry.readlink()))
    lines = [
        line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]
    ]
    ours = [line[1].rpartition(":") for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in held]
    return {(address, int(port, 16)) for address, _, port in ours}


def test_kill_leaves_no_orphan_and_the_next_start_works(name: str, layout: Path) -> None:
    """After kill -9 of LocalStack its registry and functions die too, and a new start serves and finds no cgroup."""
    running = control.start(name)
    function = made_in(running, layout)
    function.invoke()
    pids = {pid for entry in ask(running, "/_local_aws/status")["environments"] for pid in entry["pids"]}
    family = processes.list_descendants(running.pid)
    assert pids
    assert pids < {member.pid for member in family}
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: not any(member.is_alive() for member in family), "the processes of the killed instance to end")
    assert control.find(name) is None
    again = control.start(name)
    assert make_client(again, "ecr").describe_repositories()["repositories"] == []
    hierarchy = cgroups.find()
    assert (hierarchy.list_groups(instance.derive_key(name)) if hierarchy else []) == []


def test_interrupted_start_leaves_nothing(name: str) -> None:
    """Ctrl-C during start exits with 130 and leaves no process of the instance."""
    line = [sys.executable, "-m", "local_aws", "start", "--name", name]
    starting = subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: control.find_leftovers(name), "LocalStack's process")
    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=600)
    assert starting.returncode == 130
    assert control.find_leftovers(name) == {}
    assert control.find(name) is None
